//! Whole requests, a line each: who calls what; what has a say; what becomes of it.
//!
//! `key+ WHO ACTIONS` and `key-` are statements of the key policy, `id`, `bound` and `sess` those of the caller's own
//! policies, `grant WHO OPERATIONS` is a grant, `with KEY=VALUE` is context. `on` names a resource, `if` a condition;
//! `ec:` is short for `kms:EncryptionContext:`.

use serde_json::{Value, json};

use super::*;
use crate::model::{KeyArn, Partition};
use crate::policy::{read_caller, read_grants, read_identity_value, read_value};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:111122223333:orders";

/// A principal's short name in the table.
fn who(name: &str) -> String {
    let (account, name) = match name.strip_prefix("other-") {
        Some(name) => ("444455556666", name),
        None => ("111122223333", name),
    };
    match name {
        "*" => "*".to_owned(),
        "root" => format!("arn:aws:iam::{account}:root"),
        "id" => account.to_owned(),
        "user" => format!("arn:aws:iam::{account}:user/staff/ann"),
        "role" => format!("arn:aws:iam::{account}:role/team/app"),
        "role2" => format!("arn:aws:iam::{account}:role/batch"),
        "session" => format!("arn:aws:sts::{account}:assumed-role/app/i-1"),
        "SESSION" => format!("arn:aws:sts::{account}:assumed-role/App/i-1"),
        "session2" => format!("arn:aws:sts::{account}:assumed-role/app/i-2"),
        "federated" => format!("arn:aws:sts::{account}:federated-user/bob"),
        "gone" => "AROAEXAMPLEID".to_owned(),
        service => format!("{service}.amazonaws.com"),
    }
}

fn principals(names: &str) -> Value {
    let names: Vec<String> = names.split(',').map(who).collect();
    let (services, others): (Vec<String>, Vec<String>) = names
        .into_iter()
        .partition(|name| name.ends_with(".amazonaws.com"));
    match (services.is_empty(), others.is_empty()) {
        (true, _) => json!({"AWS": others}),
        (false, true) => json!({"Service": services}),
        (false, false) => json!({"AWS": others, "Service": services}),
    }
}

fn actions(names: &str) -> Vec<String> {
    let full = |name: &str| match name {
        "**" => "*".to_owned(),
        name if name.contains(':') => name.to_owned(),
        name => format!("kms:{name}"),
    };
    names.split(',').map(full).collect()
}

fn pairs(text: &str) -> Value {
    let pairs = text.split(',').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What follows a word of a clause.
fn after<'a>(words: &[&'a str], word: &str) -> Option<&'a str> {
    let at = words.iter().position(|one| *one == word)?;
    words.get(at + 1).copied()
}

fn statement(words: &[&str], who: Option<&str>, names: &str, sign: char) -> Value {
    let mut statement = json!({
        "Effect": if sign == '+' { "Allow" } else { "Deny" },
        "Resource": after(words, "on").unwrap_or("*"),
    });
    match names.strip_prefix('!') {
        Some(names) => statement["NotAction"] = json!(actions(names)),
        None => statement["Action"] = json!(actions(names)),
    }
    match who.map(|who| (who, who.strip_prefix('!'))) {
        None => {}
        Some((_, Some(who))) => statement["NotPrincipal"] = principals(who),
        Some((who, None)) => statement["Principal"] = principals(who),
    }
    if let Some(at) = words.iter().position(|one| *one == "if") {
        statement["Condition"] = json!({words[at + 1]: pairs(words[at + 2])});
    }
    statement
}

fn grant(index: usize, words: &[&str]) -> Value {
    let mut constraints = serde_json::Map::new();
    if let Some(text) = after(words, "subset") {
        constraints.insert("EncryptionContextSubset".to_owned(), pairs(text));
    }
    if let Some(text) = after(words, "equals") {
        constraints.insert("EncryptionContextEquals".to_owned(), pairs(text));
    }
    if let Some(arn) = after(words, "source") {
        constraints.insert("SourceArn".to_owned(), json!(arn));
    }
    json!({
        "GrantId": format!("g{index}"), "KeyId": after(words, "on").unwrap_or(KEY),
        "GranteePrincipal": who(words[1]), "Operations": words[2].split(',').collect::<Vec<_>>(),
        "Constraints": constraints,
    })
}

/// Everything that a row says, typed.
#[derive(Default)]
struct Scene {
    key: Vec<Value>,
    own: [Vec<Value>; 3],
    grants: Vec<Value>,
    context: Context,
}

impl Scene {
    fn new(text: &str) -> Self {
        let mut scene = Self::default();
        for clause in text
            .split(';')
            .map(str::trim)
            .filter(|clause| !clause.is_empty())
        {
            let words: Vec<&str> = clause.split_whitespace().collect();
            let sign = words[0].chars().last().unwrap();
            match words[0].trim_end_matches(['+', '-']) {
                "key" => scene
                    .key
                    .push(statement(&words, Some(words[1]), words[2], sign)),
                "id" => scene.own[0].push(statement(&words, None, words[1], sign)),
                "bound" => scene.own[1].push(statement(&words, None, words[1], sign)),
                "sess" => scene.own[2].push(statement(&words, None, words[1], sign)),
                "grant" => scene.grants.push(grant(scene.grants.len(), &words)),
                "with" => {
                    let (key, values) = words[1].split_once('=').unwrap();
                    scene.context.set(key, values.split('|').map(str::to_owned));
                }
                other => panic!("{other}"),
            }
        }
        scene
    }

    fn answer(self, caller: &str, action: &str) -> Answer {
        let policy =
            |statements: &Vec<Value>| json!({"Version": "2012-10-17", "Statement": statements});
        let mut statements = self.key;
        if statements.is_empty() {
            statements.push(statement(&[], Some("role2"), "Sign", '+'));
        }
        let key = read_value(&policy(&statements), Partition::Aws).unwrap();
        let own = self.own.map(|statements| {
            let there = !statements.is_empty();
            there.then(|| read_identity_value(&policy(&statements)).unwrap())
        });
        let [identity, boundary, session] = own;
        let grants = read_grants(&json!(self.grants), Partition::Aws).unwrap();
        let policies = Policies {
            key: &key,
            identity: identity.as_slice(),
            boundary: boundary.as_ref(),
            session: session.as_slice(),
            grants: &grants,
        };
        let caller = match caller {
            "nobody" => Principal::Anyone,
            name => read_caller(&who(name), Partition::Aws).unwrap(),
        };
        let request = Request {
            caller: &caller,
            action: &actions(action)[0],
            key: &KEY.parse::<KeyArn>().unwrap(),
            context: &self.context,
        };
        authorize(&policies, &request)
    }
}

/// An answer in the words of the table.
fn told(answer: &Answer) -> String {
    let level = format!("{:?}", answer.level).to_lowercase();
    match (answer.outcome, &answer.denial) {
        (Outcome::Allowed, None) => format!("allowed, {level}"),
        (Outcome::ExplicitlyDenied, Some(Denial::Explicit(source))) => {
            format!("denied by {source}, {level}")
        }
        (Outcome::ImplicitlyDenied, Some(Denial::NotAcrossAccounts(_))) => {
            format!("NotAcrossAccounts, {level}")
        }
        (Outcome::ImplicitlyDenied, Some(Denial::BeyondKeyPolicies(_))) => {
            format!("BeyondKeyPolicies, {level}")
        }
        (Outcome::ImplicitlyDenied, Some(Denial::Constraints(grant))) => {
            format!("Constraints({grant}), {level}")
        }
        (Outcome::ImplicitlyDenied, Some(denial)) => format!("{denial:?}, {level}"),
        (outcome, denial) => panic!("{outcome:?} for {denial:?}"),
    }
}

/// Checks rows of `CALLER ACTION: WHAT HAS A SAY => WHAT BECOMES OF IT`.
#[track_caller]
fn check_all(rows: &str) {
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let row = row.replace("{KEY}", KEY).replace("{QUEUE}", QUEUE);
        let row = row.replace("{ROLE}", &who("role"));
        let row = row.replace("ec:", "kms:EncryptionContext:");
        let (request, rest) = row.split_once(": ").unwrap();
        let (scene, expected) = rest.split_once("=>").unwrap();
        let (caller, action) = request.split_once(' ').unwrap();
        let answer = Scene::new(scene).answer(caller, action);
        assert_eq!(told(&answer), expected.trim(), "{row}");
        let decided = answer.outcome != Outcome::ImplicitlyDenied;
        assert_eq!(decided, !answer.by.is_empty(), "{row}");
    }
}

#[test]
fn names_need_no_identity_policy() {
    check_all(
        r"
        user Decrypt: key+ user * => allowed, direct
        role Decrypt: key+ role * => allowed, direct
        session Decrypt: key+ role * => allowed, direct
        session Decrypt: key+ session * => allowed, direct
        federated Decrypt: key+ federated * => allowed, direct
        role Decrypt: key+ * * => allowed, direct
        role Decrypt: key+ role Encrypt => KeyPolicy, none
        role Decrypt: key+ user * => KeyPolicy, none
        session2 Decrypt: key+ session * => KeyPolicy, none
        role Decrypt: key+ session * => KeyPolicy, none
        role Decrypt: key+ !user * => allowed, direct
        user Decrypt: key+ !user * => KeyPolicy, none
        gone Decrypt: key+ gone * => allowed, direct
        role Decrypt: key+ gone * => KeyPolicy, none
        nobody Decrypt: key+ * * => Unsigned, none
        nobody Decrypt: key+ * *; id+ ** => Unsigned, none
        ",
    );
}

#[test]
fn sessions_belong_to_a_role_whatever_its_path_and_case() {
    check_all(
        r"
        SESSION Decrypt: key+ role * => allowed, direct
        SESSION Decrypt: key- role *; key+ * * => denied by the key policy, deny
        SESSION Decrypt: key+ role2 * => KeyPolicy, none
        SESSION Decrypt: key+ session * => KeyPolicy, none
        SESSION Decrypt: grant role Decrypt => allowed, none
        other-session Decrypt: key+ role * => KeyPolicy, none
        ",
    );
}

#[test]
fn account_leaves_it_to_identity_policies() {
    check_all(
        r"
        role Decrypt: key+ root *; id+ Decrypt => allowed, delegated
        role Decrypt: key+ id *; id+ Decrypt => allowed, delegated
        role Decrypt: key+ root * => Identity, delegated
        role Decrypt: key+ root *; id+ Encrypt => Identity, delegated
        user Decrypt: key+ root *; id+ * => allowed, delegated
        user Decrypt: key+ root *; id+ ** => allowed, delegated
        session Decrypt: key+ root *; id+ De* => allowed, delegated
        federated Decrypt: key+ root *; id+ De* => allowed, delegated
        user Decrypt: key+ root *; id+ kms:decrypt => allowed, delegated
        user Decrypt: key+ root *; id+ s3:* => Identity, delegated
        user Decrypt: key+ root *; id+ !Encrypt => allowed, delegated
        user Decrypt: key+ root *; id+ !De* => Identity, delegated
        user Decrypt: key+ root Encrypt; id+ * => KeyPolicyIgnoresIam, none
        user Decrypt: key+ role *; id+ * => KeyPolicyIgnoresIam, none
        user Decrypt: key+ other-root *; id+ * => KeyPolicyIgnoresIam, none
        root Decrypt: key+ root * => allowed, direct
        root Decrypt: key+ id * => allowed, direct
        root Decrypt: key+ role * => KeyPolicy, none
        gone Decrypt: key+ root *; id+ * => KeyPolicyIgnoresIam, none
        ",
    );
}

#[test]
fn delegation_ends_where_its_statement_ends() {
    check_all(
        r"
        user Decrypt: key+ root * if StringEquals kms:ViaService=s3; id+ *; with kms:ViaService=s3 => allowed, delegated
        user Decrypt: key+ root * if StringEquals kms:ViaService=s3; id+ *; with kms:ViaService=ec2 => KeyPolicyIgnoresIam, none
        user Decrypt: key+ root * if StringEquals kms:ViaService=s3; id+ * => KeyPolicyIgnoresIam, none
        user Encrypt: key+ root De*,En*; id+ Encrypt => allowed, delegated
        user Sign: key+ root De*,En*; id+ * => KeyPolicyIgnoresIam, none
        user NewOperation: key+ root *; id+ * => allowed, delegated
        user NewOperation: key+ root *; id+ De* => Identity, delegated
        ",
    );
}

#[test]
fn identity_policies_name_keys_by_pattern() {
    check_all(
        r"
        user Decrypt: key+ root *; id+ * on * => allowed, delegated
        user Decrypt: key+ root *; id+ * on {KEY} => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:111122223333:key/* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:eu-*:*:key/1234abcd-* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:eu-central-1:* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:eu-central-?:111122223333:key/* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:us-*:111122223333:key/* => Identity, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:444455556666:key/* => Identity, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:111122223333:alias/* => Identity, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:111122223333:KEY/* => Identity, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:s3:::bucket => Identity, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:${aws:PrincipalAccount}:key/* => allowed, delegated
        user Decrypt: key+ root *; id+ * on arn:aws:kms:*:${aws:PrincipalTag/home}:key/* => Identity, delegated
        ",
    );
}

#[test]
fn identity_policies_have_conditions() {
    check_all(
        r"
        user Decrypt: key+ root *; id+ * if StringLike kms:ViaService=s3.*; with kms:ViaService=s3.x => allowed, delegated
        user Decrypt: key+ root *; id+ * if StringLike kms:ViaService=s3.* => Identity, delegated
        user Decrypt: key+ root *; id+ * if StringEquals aws:username=ann => allowed, delegated
        user Decrypt: key+ root *; id+ * if StringEquals aws:username=bob => Identity, delegated
        user Decrypt: key+ root *; id+ * if Bool aws:MultiFactorAuthPresent=true => Identity, delegated
        user Decrypt: key+ root *; id+ * if BoolIfExists aws:MultiFactorAuthPresent=true => allowed, delegated
        user Decrypt: key+ root *; id+ * if StringEquals ec:Tenant=eu; with ec:tenant=eu => allowed, delegated
        user Decrypt: key+ root *; id+ * if StringEquals ec:user=${aws:username}; with ec:user=ann => allowed, delegated
        user Decrypt: key+ root *; id+ * if StringEquals ec:user=${aws:username}; with ec:user=eve => Identity, delegated
        session Decrypt: key+ root *; id+ * if ArnLike aws:PrincipalArn=arn:aws:iam::*:role/app => allowed, delegated
        session Decrypt: key+ root *; id+ * if ArnLike aws:PrincipalArn=arn:aws:sts::*:* => Identity, delegated
        ",
    );
}

#[test]
fn boundaries_and_session_policies_limit_what_is_delegated() {
    check_all(
        r"
        role Decrypt: key+ root *; id+ *; bound+ Decrypt => allowed, delegated
        role Decrypt: key+ root *; id+ *; bound+ Encrypt => Boundary, delegated
        session Decrypt: key+ root *; id+ *; sess+ Decrypt => allowed, delegated
        session Decrypt: key+ root *; id+ *; sess+ Encrypt => Session, delegated
        session Decrypt: key+ root *; id+ *; bound+ *; sess+ * => allowed, delegated
        session Decrypt: key+ root *; id+ *; bound+ *; sess+ Encrypt => Session, delegated
        session Decrypt: key+ root *; id+ *; bound+ Encrypt; sess+ * => Boundary, delegated
        user Decrypt: key+ root *; id+ *; bound+ Encrypt => Boundary, delegated
        federated Decrypt: key+ root *; id+ *; sess+ Encrypt => Session, delegated
        role Decrypt: key+ root *; bound+ * => Identity, delegated
        session Decrypt: key+ root *; sess+ * => Identity, delegated
        role Decrypt: key+ root *; id+ *; bound+ * on arn:aws:s3:::x => Boundary, delegated
        role Decrypt: key+ root *; id+ *; bound+ * if StringEquals kms:ViaService=s3 => Boundary, delegated
        ",
    );
}

#[test]
fn only_what_names_a_role_is_limited_too() {
    check_all(
        r"
        role Decrypt: key+ role *; bound+ * => allowed, direct
        role Decrypt: key+ role *; bound+ Encrypt => Boundary, direct
        session Decrypt: key+ role *; bound+ Encrypt => Boundary, direct
        session Decrypt: key+ role *; sess+ Encrypt => Session, direct
        session Decrypt: key+ role *; sess+ Decrypt => allowed, direct
        session Decrypt: key+ session *; sess+ Encrypt => allowed, direct
        session Decrypt: key+ session *; bound+ Encrypt => allowed, direct
        session Decrypt: key+ role,session *; sess+ Encrypt => allowed, direct
        session Decrypt: key+ role *; key+ session *; sess+ Encrypt => allowed, direct
        session Decrypt: key+ role *; key+ root *; id+ *; sess+ Encrypt => Session, direct
        user Decrypt: key+ user *; bound+ Encrypt => allowed, direct
        federated Decrypt: key+ federated *; sess+ Encrypt => allowed, direct
        role Decrypt: key+ * *; bound+ Encrypt => allowed, direct
        role Decrypt: key+ * * if ArnEquals aws:PrincipalArn={ROLE}; bound+ Encrypt => allowed, direct
        role Decrypt: key+ !user *; bound+ Encrypt => allowed, direct
        ",
    );
}

#[test]
fn explicit_denies_win_wherever_they_stand() {
    check_all(
        r"
        role Decrypt: key+ role *; key- role * => denied by the key policy, deny
        role Decrypt: key+ role *; key- root * => denied by the key policy, deny
        role Decrypt: key+ role *; key- * Decrypt => denied by the key policy, deny
        role Decrypt: key+ role *; key- * Encrypt => allowed, direct
        role Decrypt: key+ role *; id- Decrypt => denied by identity policy 1, direct
        role Decrypt: key+ role *; id+ *; id- Decrypt => denied by identity policy 1, direct
        role Decrypt: key+ role *; bound+ *; bound- * => denied by the permissions boundary, direct
        role Decrypt: key+ role *; sess+ *; sess- * => denied by session policy 1, direct
        user Decrypt: key+ user *; bound- * => denied by the permissions boundary, direct
        session Decrypt: key+ session *; sess- * => denied by session policy 1, direct
        role Decrypt: id- * => denied by identity policy 1, none
        role Decrypt: key+ role *; id- * on arn:aws:s3:::x => allowed, direct
        role Decrypt: key+ role *; id- * if Bool aws:ViaAWSService=true => allowed, direct
        role Decrypt: key+ role *; id- * if StringNotEquals aws:SourceVpc=vpc-1 => denied by identity policy 1, direct
        role Decrypt: key+ role *; id- !Encrypt => denied by identity policy 1, direct
        root Decrypt: key+ root *; key- root Decrypt => denied by the key policy, deny
        nobody Decrypt: key- * * => denied by the key policy, deny
        logs Decrypt: key+ logs *; key- * * => denied by the key policy, deny
        ",
    );
}

#[test]
fn not_principal_denies_all_but_the_listed() {
    check_all(
        r"
        session Decrypt: key+ root *; id+ *; key- !role,root * => denied by the key policy, deny
        session Decrypt: key+ root *; id+ *; key- !role,root,session * => allowed, delegated
        session2 Decrypt: key+ root *; id+ *; key- !role,root,session * => denied by the key policy, deny
        role Decrypt: key+ root *; id+ *; key- !role,root * => allowed, delegated
        role Decrypt: key+ role *; key- !role,root *; bound+ * => denied by the key policy, deny
        user Decrypt: key+ user *; key- !user,root *; bound+ * => denied by the key policy, deny
        user Decrypt: key+ user *; key- !user,root * => allowed, direct
        role Decrypt: grant role Decrypt; key- !user,root * => denied by the key policy, deny
        ",
    );
}

#[test]
fn other_accounts_need_both_sides() {
    check_all(
        r"
        other-role Decrypt: key+ other-root *; id+ Decrypt => allowed, delegated
        other-role Decrypt: key+ other-root * => ForeignIdentity, delegated
        other-role Decrypt: key+ other-role * => ForeignIdentity, delegated
        other-role Decrypt: key+ other-role *; id+ Decrypt => allowed, delegated
        other-role Decrypt: key+ * * => ForeignIdentity, delegated
        other-role Decrypt: key+ * *; id+ * => allowed, delegated
        other-role Decrypt: key+ !user *; id+ * => allowed, delegated
        other-session Decrypt: key+ other-role *; id+ * => allowed, delegated
        other-session Decrypt: key+ other-session * => ForeignIdentity, delegated
        other-user Decrypt: key+ other-user *; id+ Encrypt => ForeignIdentity, delegated
        other-role Decrypt: key+ root *; id+ * => KeyPolicyIgnoresIam, none
        other-role Decrypt: id+ * => KeyPolicyIgnoresIam, none
        other-role Decrypt: key+ other-role *; id+ * on arn:aws:kms:*:444455556666:key/* => ForeignIdentity, delegated
        other-role Decrypt: key+ other-role *; id+ * on {KEY} => allowed, delegated
        other-role Decrypt: key+ other-role *; id+ *; bound+ Encrypt => Boundary, delegated
        other-session Decrypt: key+ other-session *; id+ *; sess+ Encrypt => Session, delegated
        other-role Decrypt: key+ other-role *; id- * => denied by identity policy 1, delegated
        other-role Decrypt: key+ other-role *; id+ *; key- other-root * => denied by the key policy, deny
        other-root Decrypt: key+ other-root * => allowed, delegated
        other-root Decrypt: key+ * * => allowed, delegated
        other-root Decrypt: key+ other-root Encrypt => KeyPolicy, none
        other-root Decrypt: key+ other-role * => KeyPolicy, none
        other-root Decrypt: key+ root * => KeyPolicy, none
        other-root Decrypt: key+ other-root *; key- other-root Decrypt => denied by the key policy, deny
        other-root PutKeyPolicy: key+ other-root * => NotAcrossAccounts, delegated
        ",
    );
}

#[test]
fn other_accounts_have_some_operations_only() {
    check_all(
        r"
        other-role DescribeKey: key+ other-root *; id+ * => allowed, delegated
        other-role CreateGrant: key+ other-root *; id+ * => allowed, delegated
        other-role RevokeGrant: key+ other-root *; id+ * => allowed, delegated
        other-role ReEncryptTo: key+ other-root *; id+ * => allowed, delegated
        other-role GetPublicKey: key+ other-root *; id+ * => allowed, delegated
        other-role GetKeyRotationStatus: key+ other-root *; id+ * => allowed, delegated
        other-role NewOperation: key+ other-root *; id+ * => allowed, delegated
        other-role PutKeyPolicy: key+ other-root *; id+ * => NotAcrossAccounts, delegated
        other-role putkeypolicy: key+ other-root *; id+ * => NotAcrossAccounts, delegated
        other-role ScheduleKeyDeletion: key+ other-root *; id+ * => NotAcrossAccounts, delegated
        other-role GetKeyPolicy: key+ other-root *; id+ * => NotAcrossAccounts, delegated
        other-role TagResource: key+ other-root *; id+ * => NotAcrossAccounts, delegated
        role PutKeyPolicy: key+ root *; id+ * => allowed, delegated
        ",
    );
}

#[test]
fn services_are_allowed_by_the_key_policy_alone() {
    check_all(
        r"
        logs Decrypt: key+ logs * => allowed, direct
        logs Decrypt: key+ sqs * => KeyPolicy, none
        logs Decrypt: key+ root *; id+ * => KeyPolicyIgnoresIam, none
        logs Decrypt: key+ * * => allowed, direct
        logs.eu-central-1 Decrypt: key+ logs * => KeyPolicy, none
        sqs Decrypt: key+ sqs * if ArnEquals aws:SourceArn={QUEUE}; with aws:SourceArn={QUEUE} => allowed, direct
        sqs Decrypt: key+ sqs * if ArnEquals aws:SourceArn={QUEUE} => KeyPolicy, none
        sqs Decrypt: key+ sqs * if StringEquals aws:SourceAccount=111122223333; with aws:SourceAccount=111122223333 => allowed, direct
        sqs Decrypt: key+ sqs * if StringEquals aws:SourceAccount=111122223333; with aws:SourceAccount=444455556666 => KeyPolicy, none
        sqs Decrypt: key+ sqs *; key- * * if StringNotEqualsIfExists aws:PrincipalOrgID=o-1 => denied by the key policy, deny
        sqs Decrypt: key+ sqs *; key- * * if Bool aws:PrincipalIsAWSService=false => allowed, direct
        sqs PutKeyPolicy: key+ sqs * => allowed, direct
        ",
    );
}

#[test]
fn grants_need_no_policy() {
    check_all(
        r"
        role Decrypt: grant role Decrypt => allowed, none
        session Decrypt: grant role Decrypt => allowed, none
        session Decrypt: grant session Decrypt => allowed, none
        session2 Decrypt: grant session Decrypt => KeyPolicy, none
        role Decrypt: grant session Decrypt => KeyPolicy, none
        user Decrypt: grant user Encrypt,Decrypt => allowed, none
        federated Decrypt: grant federated Decrypt => allowed, none
        user Decrypt: grant role Decrypt => KeyPolicy, none
        role Encrypt: grant role Decrypt => KeyPolicy, none
        role kms:decrypt: grant role Decrypt => allowed, none
        role s3:Decrypt: grant role Decrypt => KeyPolicy, none
        other-role Decrypt: grant other-role Decrypt => allowed, none
        other-session Decrypt: grant other-role Decrypt => allowed, none
        role Decrypt: key+ root *; grant role Decrypt => allowed, delegated
        other-role Decrypt: key+ other-root *; grant other-role Decrypt => allowed, delegated
        dynamodb.eu-central-1 Decrypt: grant dynamodb.eu-central-1 Decrypt => allowed, none
        role NewOperation: grant role NewOperation => allowed, none
        role Decrypt: grant role Decrypt on 1234abcd-12ab-34cd-56ef-1234567890ab => allowed, none
        role Decrypt: grant role Decrypt on 9999abcd-12ab-34cd-56ef-1234567890ab => KeyPolicy, none
        nobody Decrypt: grant role Decrypt => Unsigned, none
        role Decrypt: grant role Decrypt; bound+ Encrypt => allowed, none
        session Decrypt: grant role Decrypt; sess+ Encrypt => allowed, none
        ",
    );
}

#[test]
fn grants_to_accounts_leave_it_to_identity_policies() {
    check_all(
        r"
        root Decrypt: grant root Decrypt => allowed, none
        role Decrypt: grant root Decrypt => KeyPolicy, none
        role Decrypt: grant root Decrypt; id+ Decrypt => allowed, none
        other-role Decrypt: grant other-root Decrypt; id+ Decrypt => allowed, none
        other-role Decrypt: grant root Decrypt; id+ Decrypt => KeyPolicyIgnoresIam, none
        role Decrypt: grant root Decrypt; id+ *; bound+ Encrypt => KeyPolicyIgnoresIam, none
        ",
    );
}

#[test]
fn key_policies_have_no_say_about_operations_that_are_not_on_a_key() {
    check_all(
        r"
        role CreateKey: key+ role * => BeyondKeyPolicies, none
        role CreateKey: key+ root *; id+ * => allowed, none
        role CreateKey: id+ kms:Create* => allowed, none
        role CreateKey: key- * *; id+ * => allowed, none
        role CreateKey: id+ *; id- kms:CreateKey => denied by identity policy 1, none
        role CreateKey: id+ *; bound+ Decrypt => Boundary, none
        session CreateKey: id+ *; sess+ Decrypt => Session, none
        other-role CreateKey: key+ * *; id+ * => BeyondKeyPolicies, none
        logs ListKeys: key+ * * => BeyondKeyPolicies, none
        role kms:listkeys: key+ * * => BeyondKeyPolicies, none
        role ListAliases: key+ role kms:ListAliases => BeyondKeyPolicies, none
        role GenerateRandom: key+ root * => BeyondKeyPolicies, none
        role RetireGrant: key+ role * => BeyondKeyPolicies, none
        role RetireGrant: grant role RetireGrant => allowed, none
        role RetireGrant: grant role RetireGrant; key- * * => allowed, none
        role RetireGrant: grant role RetireGrant; id- RetireGrant => denied by identity policy 1, none
        other-role RetireGrant: grant other-role RetireGrant => allowed, none
        role RetireGrant: id+ RetireGrant => allowed, none
        ",
    );
}

#[test]
fn grants_name_both_halves_of_reencrypt() {
    check_all(
        r"
        role ReEncryptFrom: grant role ReEncryptFrom => allowed, none
        role ReEncryptTo: grant role ReEncryptFrom => KeyPolicy, none
        role ReEncryptTo: grant role ReEncryptFrom,ReEncryptTo => allowed, none
        role ReEncrypt: grant role ReEncryptFrom,ReEncryptTo => allowed, none
        role ReEncrypt: grant role ReEncryptFrom => KeyPolicy, none
        ",
    );
}

#[test]
fn explicit_denies_beat_grants() {
    check_all(
        r"
        role Decrypt: grant role Decrypt; key- role * => denied by the key policy, deny
        session Decrypt: grant role Decrypt; key- root * => denied by the key policy, deny
        role Decrypt: grant role Decrypt; id- * => denied by identity policy 1, none
        role Decrypt: grant role Decrypt; bound- * => denied by the permissions boundary, none
        session Decrypt: grant session Decrypt; sess- * => denied by session policy 1, none
        other-role Decrypt: grant other-role Decrypt; id- Decrypt => denied by identity policy 1, none
        role Decrypt: grant role Decrypt; key- * * if Bool aws:SecureTransport=false => allowed, none
        role Decrypt: grant role Decrypt; key- * * if BoolIfExists aws:SecureTransport=false => denied by the key policy, deny
        ",
    );
}

#[test]
fn subsets_must_be_in_the_encryption_context() {
    check_all(
        r"
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:tenant=eu => allowed, none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:tenant=eu; with ec:app=x => allowed, none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:Tenant=eu => allowed, none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:tenant=EU => Constraints(g0), none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:tenant=e* => Constraints(g0), none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:app=eu => Constraints(g0), none
        role Decrypt: grant role Decrypt subset tenant=eu; with ec:tenant=eu|us => Constraints(g0), none
        role Decrypt: grant role Decrypt subset tenant=eu => Constraints(g0), none
        role DescribeKey: grant role Decrypt,DescribeKey subset tenant=eu => allowed, none
        role RetireGrant: grant role Decrypt,RetireGrant subset tenant=eu => allowed, none
        role Encrypt: grant role Decrypt subset tenant=eu; with ec:tenant=eu => KeyPolicy, none
        user Decrypt: grant role Decrypt subset tenant=eu => KeyPolicy, none
        role Decrypt: grant role Decrypt subset tenant=eu; grant role Decrypt => allowed, none
        role Decrypt: grant role Decrypt subset tenant=eu; key+ root * => Identity, delegated
        ",
    );
}

#[test]
fn equals_wants_just_its_pairs() {
    check_all(
        r"
        role Decrypt: grant role Decrypt equals tenant=eu,app=x; with ec:tenant=eu; with ec:app=x => allowed, none
        role Decrypt: grant role Decrypt equals tenant=eu,app=x; with ec:tenant=eu => Constraints(g0), none
        role Decrypt: grant role Decrypt equals tenant=eu,app=x; with ec:tenant=eu; with ec:app=x; with ec:more=y => Constraints(g0), none
        role Decrypt: grant role Decrypt equals tenant=eu,app=x; with ec:tenant=eu; with ec:app=x; with kms:EncryptionContextKeys=tenant|app => allowed, none
        role Decrypt: grant role Decrypt equals tenant=eu,app=x; with ec:tenant=eu; with ec:app=x; with kms:EncryptionContextKeys=tenant|app|more => Constraints(g0), none
        role Decrypt: grant role Decrypt equals tenant=eu,app=x => Constraints(g0), none
        role DescribeKey: grant role Decrypt,DescribeKey equals tenant=eu,app=x => allowed, none
        ",
    );
}

#[test]
fn source_arn_binds_a_grant_to_a_resource() {
    check_all(
        r"
        sqs Decrypt: grant sqs Decrypt source {QUEUE}; with aws:SourceArn={QUEUE} => allowed, none
        sqs Decrypt: grant sqs Decrypt source {QUEUE}; with aws:SourceArn=arn:aws:sqs:eu-central-1:111122223333:other => Constraints(g0), none
        sqs Decrypt: grant sqs Decrypt source {QUEUE} => Constraints(g0), none
        sqs DescribeKey: grant sqs Decrypt,DescribeKey source {QUEUE} => Constraints(g0), none
        sqs DescribeKey: grant sqs Decrypt,DescribeKey source {QUEUE}; with aws:SourceArn={QUEUE} => allowed, none
        sqs RetireGrant: grant sqs Decrypt,RetireGrant source {QUEUE} => allowed, none
        logs Decrypt: grant sqs Decrypt source {QUEUE}; with aws:SourceArn={QUEUE} => KeyPolicy, none
        role Decrypt: grant sqs Decrypt source {QUEUE}; grant role Decrypt source {QUEUE} => Constraints(g1), none
        ",
    );
}

#[track_caller]
fn check_by(request: &str, scene: &str, expected: &[&str]) {
    let (caller, action) = request.split_once(' ').unwrap();
    let answer = Scene::new(scene).answer(caller, action);
    let told = |ground: &Ground| match ground {
        Ground::Statement { source, index, .. } => format!("{source} {index}"),
        Ground::Grant(id) => format!("grant {id}"),
    };
    let found: Vec<String> = answer.by.iter().map(told).collect();
    assert_eq!(found, expected, "{request}: {scene}");
}

#[test]
fn answers_name_all_that_decides() {
    check_by(
        "role Decrypt",
        "key+ user *; key+ role *",
        &["the key policy 1"],
    );
    check_by(
        "role Decrypt",
        "key+ root *; key+ role *",
        &["the key policy 1"],
    );
    check_by(
        "role Decrypt",
        "key+ root *; id+ s3:*; id+ *",
        &["the key policy 0", "identity policy 1 1"],
    );
    check_by(
        "session Decrypt",
        "key+ root *; id+ *; bound+ *; sess+ *",
        &[
            "the key policy 0",
            "identity policy 1 0",
            "the permissions boundary 0",
            "session policy 1 0",
        ],
    );
    check_by(
        "role Decrypt",
        "key+ role *; bound+ *",
        &["the key policy 0", "the permissions boundary 0"],
    );
    check_by(
        "session Decrypt",
        "key+ role *; key+ session *; sess+ Sign",
        &["the key policy 1"],
    );
    check_by(
        "session Decrypt",
        "key+ role *; key+ session *; sess+ *",
        &["the key policy 0", "the key policy 1"],
    );
    check_by(
        "role Decrypt",
        "key+ role *; grant role Decrypt",
        &["the key policy 0", "grant g0"],
    );
    check_by(
        "role Decrypt",
        "grant user Decrypt; grant role Decrypt",
        &["grant g1"],
    );
    check_by(
        "role Decrypt",
        "key+ role *; key- root *; id- *; grant role Decrypt",
        &["the key policy 1", "identity policy 1 0"],
    );
    check_by("role Decrypt", "key+ root *", &[]);
    // A root user may do in its account whatever no policy denies.
    check_by("root CreateKey", "key+ role *", &[]);
}
