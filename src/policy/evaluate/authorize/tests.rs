//! Whole requests, a line each: who calls what; what has a say; what becomes of it.
//!
//! `key+ WHO ACTIONS` and `key-` are statements of the key policy, `id`, `bound` and `sess` those of the caller's own
//! policies, `grant WHO OPERATIONS` is a grant, `with KEY=VALUE` is context. `on` names a resource, `if` a condition.

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
        (Outcome::ImplicitlyDenied, Some(denial)) => format!("{denial:?}, {level}"),
        (outcome, denial) => panic!("{outcome:?} for {denial:?}"),
    }
}

#[track_caller]
fn check(request: &str, scene: &str, expected: &str) {
    let (caller, action) = request.split_once(' ').unwrap();
    let answer = Scene::new(scene).answer(caller, action);
    assert_eq!(told(&answer), expected, "{request}: {scene}");
    let decided = answer.outcome != Outcome::ImplicitlyDenied;
    assert_eq!(decided, !answer.by.is_empty(), "{request}: {scene}");
}

#[test]
fn names_need_no_identity_policy() {
    check("user Decrypt", "key+ user *", "allowed, direct");
    check("role Decrypt", "key+ role *", "allowed, direct");
    check("session Decrypt", "key+ role *", "allowed, direct");
    check("session Decrypt", "key+ session *", "allowed, direct");
    check("federated Decrypt", "key+ federated *", "allowed, direct");
    check("role Decrypt", "key+ * *", "allowed, direct");
    check("role Decrypt", "key+ role Encrypt", "KeyPolicy, none");
    check("role Decrypt", "key+ user *", "KeyPolicy, none");
    check("session2 Decrypt", "key+ session *", "KeyPolicy, none");
    check("role Decrypt", "key+ session *", "KeyPolicy, none");
    check("role Decrypt", "key+ !user *", "allowed, direct");
    check("user Decrypt", "key+ !user *", "KeyPolicy, none");
    check("gone Decrypt", "key+ gone *", "allowed, direct");
    check("role Decrypt", "key+ gone *", "KeyPolicy, none");
    check("nobody Decrypt", "key+ * *", "Unsigned, none");
    check("nobody Decrypt", "key+ * *; id+ **", "Unsigned, none");
}

#[test]
fn sessions_belong_to_a_role_whatever_its_path_and_case() {
    check("SESSION Decrypt", "key+ role *", "allowed, direct");
    check(
        "SESSION Decrypt",
        "key- role *; key+ * *",
        "denied by the key policy, deny",
    );
    check("SESSION Decrypt", "key+ role2 *", "KeyPolicy, none");
    check("SESSION Decrypt", "key+ session *", "KeyPolicy, none");
    check("SESSION Decrypt", "grant role Decrypt", "allowed, none");
    check("other-session Decrypt", "key+ role *", "KeyPolicy, none");
}

#[test]
fn account_leaves_it_to_identity_policies() {
    check(
        "role Decrypt",
        "key+ root *; id+ Decrypt",
        "allowed, delegated",
    );
    check(
        "role Decrypt",
        "key+ id *; id+ Decrypt",
        "allowed, delegated",
    );
    check("role Decrypt", "key+ root *", "Identity, delegated");
    check(
        "role Decrypt",
        "key+ root *; id+ Encrypt",
        "Identity, delegated",
    );
    check("user Decrypt", "key+ root *; id+ *", "allowed, delegated");
    check("user Decrypt", "key+ root *; id+ **", "allowed, delegated");
    check(
        "session Decrypt",
        "key+ root *; id+ De*",
        "allowed, delegated",
    );
    check(
        "federated Decrypt",
        "key+ root *; id+ De*",
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        "key+ root *; id+ kms:decrypt",
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        "key+ root *; id+ s3:*",
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        "key+ root *; id+ !Encrypt",
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        "key+ root *; id+ !De*",
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        "key+ root Encrypt; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "user Decrypt",
        "key+ role *; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "user Decrypt",
        "key+ other-root *; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check("root Decrypt", "key+ root *", "allowed, direct");
    check("root Decrypt", "key+ id *", "allowed, direct");
    check("root Decrypt", "key+ role *", "KeyPolicy, none");
    check(
        "gone Decrypt",
        "key+ root *; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
}

#[test]
fn delegation_ends_where_its_statement_ends() {
    let via = "key+ root * if StringEquals kms:ViaService=s3";
    check(
        "user Decrypt",
        &format!("{via}; id+ *; with kms:ViaService=s3"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &format!("{via}; id+ *; with kms:ViaService=ec2"),
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "user Decrypt",
        &format!("{via}; id+ *"),
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "user Encrypt",
        "key+ root De*,En*; id+ Encrypt",
        "allowed, delegated",
    );
    check(
        "user Sign",
        "key+ root De*,En*; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "user NewOperation",
        "key+ root *; id+ *",
        "allowed, delegated",
    );
    check(
        "user NewOperation",
        "key+ root *; id+ De*",
        "Identity, delegated",
    );
}

#[test]
fn identity_policies_name_keys_by_pattern() {
    let resource = |on: &str| format!("key+ root *; id+ * on {on}");
    check("user Decrypt", &resource("*"), "allowed, delegated");
    check("user Decrypt", &resource(KEY), "allowed, delegated");
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:111122223333:key/*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:eu-*:*:key/1234abcd-*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:eu-central-1:*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:eu-central-?:111122223333:key/*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:us-*:111122223333:key/*"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:444455556666:key/*"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:111122223333:alias/*"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:111122223333:KEY/*"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:s3:::bucket"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:${aws:PrincipalAccount}:key/*"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &resource("arn:aws:kms:*:${aws:PrincipalTag/home}:key/*"),
        "Identity, delegated",
    );
}

#[test]
fn identity_policies_have_conditions() {
    let id = |rest: &str| format!("key+ root *; id+ * if {rest}");
    check(
        "user Decrypt",
        &id("StringLike kms:ViaService=s3.*; with kms:ViaService=s3.x"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &id("StringLike kms:ViaService=s3.*"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &id("StringEquals aws:username=ann"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &id("StringEquals aws:username=bob"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &id("Bool aws:MultiFactorAuthPresent=true"),
        "Identity, delegated",
    );
    check(
        "user Decrypt",
        &id("BoolIfExists aws:MultiFactorAuthPresent=true"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &id("StringEquals kms:EncryptionContext:Tenant=eu; with kms:EncryptionContext:tenant=eu"),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &id(
            "StringEquals kms:EncryptionContext:user=${aws:username}; with kms:EncryptionContext:user=ann",
        ),
        "allowed, delegated",
    );
    check(
        "user Decrypt",
        &id(
            "StringEquals kms:EncryptionContext:user=${aws:username}; with kms:EncryptionContext:user=eve",
        ),
        "Identity, delegated",
    );
    check(
        "session Decrypt",
        &id("ArnLike aws:PrincipalArn=arn:aws:iam::*:role/app"),
        "allowed, delegated",
    );
    check(
        "session Decrypt",
        &id("ArnLike aws:PrincipalArn=arn:aws:sts::*:*"),
        "Identity, delegated",
    );
}

#[test]
fn boundaries_and_session_policies_limit_what_is_delegated() {
    let own = "key+ root *; id+ *;";
    check(
        "role Decrypt",
        &format!("{own} bound+ Decrypt"),
        "allowed, delegated",
    );
    check(
        "role Decrypt",
        &format!("{own} bound+ Encrypt"),
        "Boundary, delegated",
    );
    check(
        "session Decrypt",
        &format!("{own} sess+ Decrypt"),
        "allowed, delegated",
    );
    check(
        "session Decrypt",
        &format!("{own} sess+ Encrypt"),
        "Session, delegated",
    );
    check(
        "session Decrypt",
        &format!("{own} bound+ *; sess+ *"),
        "allowed, delegated",
    );
    check(
        "session Decrypt",
        &format!("{own} bound+ *; sess+ Encrypt"),
        "Session, delegated",
    );
    check(
        "session Decrypt",
        &format!("{own} bound+ Encrypt; sess+ *"),
        "Boundary, delegated",
    );
    check(
        "user Decrypt",
        &format!("{own} bound+ Encrypt"),
        "Boundary, delegated",
    );
    check(
        "federated Decrypt",
        &format!("{own} sess+ Encrypt"),
        "Session, delegated",
    );
    check(
        "role Decrypt",
        "key+ root *; bound+ *",
        "Identity, delegated",
    );
    check(
        "session Decrypt",
        "key+ root *; sess+ *",
        "Identity, delegated",
    );
    check(
        "role Decrypt",
        &format!("{own} bound+ * on arn:aws:s3:::x"),
        "Boundary, delegated",
    );
    check(
        "role Decrypt",
        &format!("{own} bound+ * if StringEquals kms:ViaService=s3"),
        "Boundary, delegated",
    );
}

#[test]
fn only_what_names_a_role_is_limited_too() {
    check("role Decrypt", "key+ role *; bound+ *", "allowed, direct");
    check(
        "role Decrypt",
        "key+ role *; bound+ Encrypt",
        "Boundary, direct",
    );
    check(
        "session Decrypt",
        "key+ role *; bound+ Encrypt",
        "Boundary, direct",
    );
    check(
        "session Decrypt",
        "key+ role *; sess+ Encrypt",
        "Session, direct",
    );
    check(
        "session Decrypt",
        "key+ role *; sess+ Decrypt",
        "allowed, direct",
    );
    check(
        "session Decrypt",
        "key+ session *; sess+ Encrypt",
        "allowed, direct",
    );
    check(
        "session Decrypt",
        "key+ session *; bound+ Encrypt",
        "allowed, direct",
    );
    check(
        "session Decrypt",
        "key+ role,session *; sess+ Encrypt",
        "allowed, direct",
    );
    check(
        "session Decrypt",
        "key+ role *; key+ session *; sess+ Encrypt",
        "allowed, direct",
    );
    check(
        "session Decrypt",
        "key+ role *; key+ root *; id+ *; sess+ Encrypt",
        "Session, direct",
    );
    check(
        "user Decrypt",
        "key+ user *; bound+ Encrypt",
        "allowed, direct",
    );
    check(
        "federated Decrypt",
        "key+ federated *; sess+ Encrypt",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ * *; bound+ Encrypt",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ * * if ArnEquals aws:PrincipalArn=arn:aws:iam::111122223333:role/team/app; bound+ Encrypt",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ !user *; bound+ Encrypt",
        "allowed, direct",
    );
}

#[test]
fn explicit_denies_win_wherever_they_stand() {
    check(
        "role Decrypt",
        "key+ role *; key- role *",
        "denied by the key policy, deny",
    );
    check(
        "role Decrypt",
        "key+ role *; key- root *",
        "denied by the key policy, deny",
    );
    check(
        "role Decrypt",
        "key+ role *; key- * Decrypt",
        "denied by the key policy, deny",
    );
    check(
        "role Decrypt",
        "key+ role *; key- * Encrypt",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; id- Decrypt",
        "denied by identity policy 1, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; id+ *; id- Decrypt",
        "denied by identity policy 1, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; bound+ *; bound- *",
        "denied by the permissions boundary, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; sess+ *; sess- *",
        "denied by session policy 1, direct",
    );
    check(
        "user Decrypt",
        "key+ user *; bound- *",
        "denied by the permissions boundary, direct",
    );
    check(
        "session Decrypt",
        "key+ session *; sess- *",
        "denied by session policy 1, direct",
    );
    check("role Decrypt", "id- *", "denied by identity policy 1, none");
    check(
        "role Decrypt",
        "key+ role *; id- * on arn:aws:s3:::x",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; id- * if Bool aws:ViaAWSService=true",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; id- * if StringNotEquals aws:SourceVpc=vpc-1",
        "denied by identity policy 1, direct",
    );
    check(
        "role Decrypt",
        "key+ role *; id- !Encrypt",
        "denied by identity policy 1, direct",
    );
    check(
        "root Decrypt",
        "key+ root *; key- root Decrypt",
        "denied by the key policy, deny",
    );
    check(
        "nobody Decrypt",
        "key- * *",
        "denied by the key policy, deny",
    );
    check(
        "logs Decrypt",
        "key+ logs *; key- * *",
        "denied by the key policy, deny",
    );
}

#[test]
fn not_principal_denies_all_but_the_listed() {
    check(
        "session Decrypt",
        "key+ root *; id+ *; key- !role,root *",
        "denied by the key policy, deny",
    );
    check(
        "session Decrypt",
        "key+ root *; id+ *; key- !role,root,session *",
        "allowed, delegated",
    );
    check(
        "session2 Decrypt",
        "key+ root *; id+ *; key- !role,root,session *",
        "denied by the key policy, deny",
    );
    check(
        "role Decrypt",
        "key+ root *; id+ *; key- !role,root *",
        "allowed, delegated",
    );
    check(
        "role Decrypt",
        "key+ role *; key- !role,root *; bound+ *",
        "denied by the key policy, deny",
    );
    check(
        "user Decrypt",
        "key+ user *; key- !user,root *; bound+ *",
        "denied by the key policy, deny",
    );
    check(
        "user Decrypt",
        "key+ user *; key- !user,root *",
        "allowed, direct",
    );
    check(
        "role Decrypt",
        "grant role Decrypt; key- !user,root *",
        "denied by the key policy, deny",
    );
}

#[test]
fn other_accounts_need_both_sides() {
    check(
        "other-role Decrypt",
        "key+ other-root *; id+ Decrypt",
        "allowed, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-root *",
        "ForeignIdentity, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-role *",
        "ForeignIdentity, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-role *; id+ Decrypt",
        "allowed, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ * *",
        "ForeignIdentity, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ * *; id+ *",
        "allowed, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ !user *; id+ *",
        "allowed, delegated",
    );
    check(
        "other-session Decrypt",
        "key+ other-role *; id+ *",
        "allowed, delegated",
    );
    check(
        "other-session Decrypt",
        "key+ other-session *",
        "ForeignIdentity, delegated",
    );
    check(
        "other-user Decrypt",
        "key+ other-user *; id+ Encrypt",
        "ForeignIdentity, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ root *; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check("other-role Decrypt", "id+ *", "KeyPolicyIgnoresIam, none");
    check(
        "other-role Decrypt",
        "key+ other-role *; id+ * on arn:aws:kms:*:444455556666:key/*",
        "ForeignIdentity, delegated",
    );
    check(
        "other-role Decrypt",
        &format!("key+ other-role *; id+ * on {KEY}"),
        "allowed, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-role *; id+ *; bound+ Encrypt",
        "Boundary, delegated",
    );
    check(
        "other-session Decrypt",
        "key+ other-session *; id+ *; sess+ Encrypt",
        "Session, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-role *; id- *",
        "denied by identity policy 1, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-role *; id+ *; key- other-root *",
        "denied by the key policy, deny",
    );
    check(
        "other-root Decrypt",
        "key+ other-root *; id+ *",
        "allowed, delegated",
    );
    check(
        "other-root Decrypt",
        "key+ other-root *",
        "ForeignIdentity, delegated",
    );
}

#[test]
fn other_accounts_have_some_operations_only() {
    let both = "key+ other-root *; id+ *";
    check("other-role DescribeKey", both, "allowed, delegated");
    check("other-role CreateGrant", both, "allowed, delegated");
    check("other-role RevokeGrant", both, "allowed, delegated");
    check("other-role ReEncryptTo", both, "allowed, delegated");
    check("other-role GetPublicKey", both, "allowed, delegated");
    check(
        "other-role GetKeyRotationStatus",
        both,
        "allowed, delegated",
    );
    check("other-role NewOperation", both, "allowed, delegated");
    check(
        "other-role PutKeyPolicy",
        both,
        "NotAcrossAccounts(\"kms:PutKeyPolicy\"), delegated",
    );
    check(
        "other-role putkeypolicy",
        both,
        "NotAcrossAccounts(\"kms:putkeypolicy\"), delegated",
    );
    check(
        "other-role ScheduleKeyDeletion",
        both,
        "NotAcrossAccounts(\"kms:ScheduleKeyDeletion\"), delegated",
    );
    check(
        "other-role GetKeyPolicy",
        both,
        "NotAcrossAccounts(\"kms:GetKeyPolicy\"), delegated",
    );
    check(
        "other-role TagResource",
        both,
        "NotAcrossAccounts(\"kms:TagResource\"), delegated",
    );
    check(
        "role PutKeyPolicy",
        "key+ root *; id+ *",
        "allowed, delegated",
    );
}

#[test]
fn services_are_allowed_by_the_key_policy_alone() {
    check("logs Decrypt", "key+ logs *", "allowed, direct");
    check("logs Decrypt", "key+ sqs *", "KeyPolicy, none");
    check(
        "logs Decrypt",
        "key+ root *; id+ *",
        "KeyPolicyIgnoresIam, none",
    );
    check("logs Decrypt", "key+ * *", "allowed, direct");
    check(
        "logs.eu-central-1 Decrypt",
        "key+ logs *",
        "KeyPolicy, none",
    );
    check(
        "sqs Decrypt",
        &format!("key+ sqs * if ArnEquals aws:SourceArn={QUEUE}; with aws:SourceArn={QUEUE}"),
        "allowed, direct",
    );
    check(
        "sqs Decrypt",
        &format!("key+ sqs * if ArnEquals aws:SourceArn={QUEUE}"),
        "KeyPolicy, none",
    );
    check(
        "sqs Decrypt",
        "key+ sqs * if StringEquals aws:SourceAccount=111122223333; with aws:SourceAccount=111122223333",
        "allowed, direct",
    );
    check(
        "sqs Decrypt",
        "key+ sqs * if StringEquals aws:SourceAccount=111122223333; with aws:SourceAccount=444455556666",
        "KeyPolicy, none",
    );
    check(
        "sqs Decrypt",
        "key+ sqs *; key- * * if StringNotEqualsIfExists aws:PrincipalOrgID=o-1",
        "denied by the key policy, deny",
    );
    check(
        "sqs Decrypt",
        "key+ sqs *; key- * * if Bool aws:PrincipalIsAWSService=false",
        "allowed, direct",
    );
    check("sqs PutKeyPolicy", "key+ sqs *", "allowed, direct");
}

#[test]
fn grants_need_no_policy() {
    check("role Decrypt", "grant role Decrypt", "allowed, none");
    check("session Decrypt", "grant role Decrypt", "allowed, none");
    check("session Decrypt", "grant session Decrypt", "allowed, none");
    check(
        "session2 Decrypt",
        "grant session Decrypt",
        "KeyPolicy, none",
    );
    check("role Decrypt", "grant session Decrypt", "KeyPolicy, none");
    check(
        "user Decrypt",
        "grant user Encrypt,Decrypt",
        "allowed, none",
    );
    check(
        "federated Decrypt",
        "grant federated Decrypt",
        "allowed, none",
    );
    check("user Decrypt", "grant role Decrypt", "KeyPolicy, none");
    check("role Encrypt", "grant role Decrypt", "KeyPolicy, none");
    check("role kms:decrypt", "grant role Decrypt", "allowed, none");
    check("role s3:Decrypt", "grant role Decrypt", "KeyPolicy, none");
    check(
        "other-role Decrypt",
        "grant other-role Decrypt",
        "allowed, none",
    );
    check(
        "other-session Decrypt",
        "grant other-role Decrypt",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "key+ root *; grant role Decrypt",
        "allowed, delegated",
    );
    check(
        "other-role Decrypt",
        "key+ other-root *; grant other-role Decrypt",
        "allowed, delegated",
    );
    check(
        "dynamodb.eu-central-1 Decrypt",
        "grant dynamodb.eu-central-1 Decrypt",
        "allowed, none",
    );
    check(
        "role NewOperation",
        "grant role NewOperation",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "grant role Decrypt on 1234abcd-12ab-34cd-56ef-1234567890ab",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "grant role Decrypt on 9999abcd-12ab-34cd-56ef-1234567890ab",
        "KeyPolicy, none",
    );
    check("nobody Decrypt", "grant role Decrypt", "Unsigned, none");
    check(
        "role Decrypt",
        "grant role Decrypt; bound+ Encrypt",
        "allowed, none",
    );
    check(
        "session Decrypt",
        "grant role Decrypt; sess+ Encrypt",
        "allowed, none",
    );
}

#[test]
fn grants_to_accounts_leave_it_to_identity_policies() {
    check("root Decrypt", "grant root Decrypt", "allowed, none");
    check("role Decrypt", "grant root Decrypt", "KeyPolicy, none");
    check(
        "role Decrypt",
        "grant root Decrypt; id+ Decrypt",
        "allowed, none",
    );
    check(
        "other-role Decrypt",
        "grant other-root Decrypt; id+ Decrypt",
        "allowed, none",
    );
    check(
        "other-role Decrypt",
        "grant root Decrypt; id+ Decrypt",
        "KeyPolicyIgnoresIam, none",
    );
    check(
        "role Decrypt",
        "grant root Decrypt; id+ *; bound+ Encrypt",
        "KeyPolicyIgnoresIam, none",
    );
}

#[test]
fn grants_name_both_halves_of_reencrypt() {
    check(
        "role ReEncryptFrom",
        "grant role ReEncryptFrom",
        "allowed, none",
    );
    check(
        "role ReEncryptTo",
        "grant role ReEncryptFrom",
        "KeyPolicy, none",
    );
    check(
        "role ReEncryptTo",
        "grant role ReEncryptFrom,ReEncryptTo",
        "allowed, none",
    );
    check(
        "role ReEncrypt",
        "grant role ReEncryptFrom,ReEncryptTo",
        "allowed, none",
    );
    check(
        "role ReEncrypt",
        "grant role ReEncryptFrom",
        "KeyPolicy, none",
    );
}

#[test]
fn explicit_denies_beat_grants() {
    check(
        "role Decrypt",
        "grant role Decrypt; key- role *",
        "denied by the key policy, deny",
    );
    check(
        "session Decrypt",
        "grant role Decrypt; key- root *",
        "denied by the key policy, deny",
    );
    check(
        "role Decrypt",
        "grant role Decrypt; id- *",
        "denied by identity policy 1, none",
    );
    check(
        "role Decrypt",
        "grant role Decrypt; bound- *",
        "denied by the permissions boundary, none",
    );
    check(
        "session Decrypt",
        "grant session Decrypt; sess- *",
        "denied by session policy 1, none",
    );
    check(
        "other-role Decrypt",
        "grant other-role Decrypt; id- Decrypt",
        "denied by identity policy 1, none",
    );
    check(
        "role Decrypt",
        "grant role Decrypt; key- * * if Bool aws:SecureTransport=false",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "grant role Decrypt; key- * * if BoolIfExists aws:SecureTransport=false",
        "denied by the key policy, deny",
    );
}

#[test]
fn subsets_must_be_in_the_encryption_context() {
    let grant = "grant role Decrypt,DescribeKey,RetireGrant subset tenant=eu";
    let unmet = "Constraints(\"g0\"), none";
    let check =
        |request: &str, rest: &str, expected| check(request, &format!("{grant}; {rest}"), expected);
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=eu",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=eu; with kms:EncryptionContext:app=x",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "with kms:EncryptionContext:Tenant=eu",
        "allowed, none",
    );
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=EU",
        unmet,
    );
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=e*",
        unmet,
    );
    check("role Decrypt", "with kms:EncryptionContext:app=eu", unmet);
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=eu|us",
        unmet,
    );
    check("role Decrypt", "", unmet);
    check("role DescribeKey", "", "allowed, none");
    check("role RetireGrant", "", "allowed, none");
    check(
        "role Encrypt",
        "with kms:EncryptionContext:tenant=eu",
        "KeyPolicy, none",
    );
    check("user Decrypt", "", "KeyPolicy, none");
    check("role Decrypt", "grant role Decrypt", "allowed, none");
    check("role Decrypt", "key+ root *", "Identity, delegated");
}

#[test]
fn equals_wants_just_its_pairs() {
    let grant = "grant role Decrypt,DescribeKey equals tenant=eu,app=x";
    let unmet = "Constraints(\"g0\"), none";
    let both = "with kms:EncryptionContext:tenant=eu; with kms:EncryptionContext:app=x";
    let check =
        |request: &str, rest: &str, expected| check(request, &format!("{grant}; {rest}"), expected);
    check("role Decrypt", both, "allowed, none");
    check(
        "role Decrypt",
        "with kms:EncryptionContext:tenant=eu",
        unmet,
    );
    check(
        "role Decrypt",
        &format!("{both}; with kms:EncryptionContext:more=y"),
        unmet,
    );
    check(
        "role Decrypt",
        &format!("{both}; with kms:EncryptionContextKeys=tenant|app"),
        "allowed, none",
    );
    check(
        "role Decrypt",
        &format!("{both}; with kms:EncryptionContextKeys=tenant|app|more"),
        unmet,
    );
    check("role Decrypt", "", unmet);
    check("role DescribeKey", "", "allowed, none");
}

#[test]
fn source_arn_binds_a_grant_to_a_resource() {
    let grant = format!("grant sqs Decrypt,DescribeKey,RetireGrant source {QUEUE}");
    let unmet = "Constraints(\"g0\"), none";
    let other = "with aws:SourceArn=arn:aws:sqs:eu-central-1:111122223333:other";
    let check =
        |request: &str, rest: &str, expected| check(request, &format!("{grant}; {rest}"), expected);
    check(
        "sqs Decrypt",
        &format!("with aws:SourceArn={QUEUE}"),
        "allowed, none",
    );
    check("sqs Decrypt", other, unmet);
    check("sqs Decrypt", "", unmet);
    check("sqs DescribeKey", "", unmet);
    check(
        "sqs DescribeKey",
        &format!("with aws:SourceArn={QUEUE}"),
        "allowed, none",
    );
    check("sqs RetireGrant", "", "allowed, none");
    check(
        "logs Decrypt",
        &format!("with aws:SourceArn={QUEUE}"),
        "KeyPolicy, none",
    );
    check(
        "role Decrypt",
        &format!("grant role Decrypt source {QUEUE}"),
        "KeyPolicy, none"
            .replace("KeyPolicy", "Constraints(\"g1\")")
            .as_str(),
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
}
