//! The policy language: reading, writing, compiling and lifting are inverse where they should be.

use keywright::model::{KeyArn, Operation, Principal};
use keywright::policy::{
    self, Actions, Condition, Context, Document, Duties, Holder, KeyContext, Level, Request,
    Statement, User, compile, evaluate, lift, read, same, write, write_compact,
};
use proptest::prelude::*;

use crate::support::policies::{
    documents, duties, keys, nobody, place, shuffled, statements, symmetric,
};

fn reread(text: &str) -> Document {
    read(text, place().partition()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lifting_is_the_inverse_of_compiling(duties in duties(), key in keys()) {
        let duties = duties.normalised(&key);
        let lifted = lift(&compile(&duties, &key, &[]), &key);
        prop_assert_eq!(lifted.duties, duties);
        prop_assert_eq!(lifted.statements, vec![]);
    }

    #[test]
    fn the_normal_form_says_the_same_and_is_normal(duties in duties(), key in keys()) {
        let normal = duties.normalised(&key);
        prop_assert_eq!(&normal.normalised(&key), &normal);
        prop_assert_eq!(compile(&duties, &key, &[]), compile(&normal, &key, &[]));
    }

    #[test]
    fn lifting_loses_nothing(document in documents(), key in keys()) {
        let lifted = lift(&document, &key);
        let again = compile(&lifted.duties, &key, &lifted.statements);
        prop_assert!(same(&again, &document), "{}\n{}", write(&again), write(&document));
    }

    #[test]
    fn lifting_finds_duties_among_other_statements_in_any_order(
        duties in duties(), extra in statements(), seed in any::<u64>()
    ) {
        let key = symmetric();
        let document = compile(&duties.normalised(&key), &key, &[extra]);
        let value = shuffled(&serde_json::from_str(&write(&document)).unwrap(), seed);
        let lifted = lift(&reread(&value.to_string()), &key);
        prop_assert!(same(&compile(&lifted.duties, &key, &lifted.statements), &document));
    }

    #[test]
    fn nothing_that_gives_access_is_compiled_without_its_context(duties in duties(), key in keys()) {
        let is_bound = |user: &User| !user.context.is_empty();
        let bound = Duties {
            iam_policies: false,
            administrators: [].into(),
            users: duties.users.into_iter().filter(is_bound).collect(),
            ..duties
        };
        let document = compile(&bound, &key, &[]);
        let arn = KeyArn::new(place(), "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap());
        let context = Context::new()
            .with("aws:PrincipalOrgID", "o-abcdef1234")
            .with("kms:GrantIsForAWSResource", "true")
            .with("kms:ViaService", "s3.eu-central-1.amazonaws.com");
        let caller = Principal::parse(API, place().partition()).unwrap();
        for operation in Operation::ALL {
            let action = format!("kms:{operation}");
            let request = Request { caller: &caller, action: &action, key: &arn, context: &context };
            let reads = ["Describe", "Get", "List", "RevokeGrant"];
            let is_harmless = reads.iter().any(|verb| operation.name().starts_with(verb));
            let level = evaluate(&document, &request).level;
            prop_assert!(is_harmless || level == Level::None, "{action} is {level:?} in {}", write(&document));
        }
    }

    #[test]
    fn the_canonical_writer_is_idempotent(document in documents()) {
        let text = write(&document);
        prop_assert_eq!(write(&reread(&text)), text);
        prop_assert_eq!(reread(&write_compact(&document)), reread(&write(&document)));
    }

    #[test]
    fn shuffled_arrays_change_nothing(document in documents(), seed in any::<u64>()) {
        let value = shuffled(&serde_json::from_str(&write(&document)).unwrap(), seed);
        let live = reread(&value.to_string());
        prop_assert!(same(&live, &document));
        prop_assert_eq!(policy::write_canonical(&live), policy::write_canonical(&document));
        let aligned: Vec<_> = policy::align(&document, &live).statements;
        prop_assert_eq!(aligned.len(), document.statements.len());
    }
}

#[test]
fn the_default_policy_is_the_one_that_kms_writes() {
    insta::assert_snapshot!(write_compact(&compile(&nobody(), &symmetric(), &[])), @r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#);
}

#[track_caller]
fn check_equal(a: &str, b: &str) {
    assert!(same(&reread(a), &reread(b)));
}

#[test]
fn spellings_that_mean_the_same_are_the_same() {
    let canonical = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root"]},"Action":["kms:Decrypt"],"Resource":["*"],"Condition":{"Bool":{"kms:GrantIsForAWSResource":["true"]}}}]}"#;
    let spellings = [
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":true}}},"Version":"2012-10-17"}"#,
        r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"y","Condition":{"Bool":{"KMS:grantisforawsresource":"true"}},"Resource":"*","Action":"KMS:DECRYPT","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:root"]},"Effect":"Allow"}]}"#,
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333"]},"Action":["kms:Decrypt","kms:decrypt"],"Resource":["*"],"Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]}"#,
    ];
    for spelling in spellings {
        check_equal(canonical, spelling);
    }
    check_equal(
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}}"#,
    );
    check_equal(
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"kms:ReEncrypt*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"KMS:reencrypt*","Resource":"*"}}"#,
    );
    // What was plain text in the old version is escaped in the new one.
    check_equal(
        r#"{"Version":"2008-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":"${x}"}}}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":"${$}{x}"}}}}"#,
    );
}

#[test]
fn variables_make_the_versions_differ() {
    let with = |version: &str| {
        reread(&format!(
            r#"{{"Version":"{version}","Statement":{{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{{"StringLike":{{"a:b":"${{x}}"}}}}}}}}"#
        ))
    };
    assert!(!same(&with("2008-10-17"), &with("2012-10-17")));
}

#[track_caller]
fn check_refused(text: &str, message: &str) {
    assert_eq!(
        read(text, place().partition()).unwrap_err().to_string(),
        message
    );
}

#[test]
fn a_policy_that_is_none_is_refused_with_the_place() {
    check_refused("[]", "must be an object");
    check_refused(
        r#"{"Statement":[]}"#,
        "Statement: a policy needs at least one statement",
    );
    check_refused(
        r#"{"Statements":[]}"#,
        "Statements: is not an element of a policy",
    );
    check_refused(
        r#"{"Version":"2013-01-01","Statement":[]}"#,
        "Version: `2013-01-01` is not a version; write `2012-10-17`",
    );
    check_refused(
        r#"{"Statement":[{"Principal":"*"}]}"#,
        "Statement[0]: has no Effect; write `Allow` or `Deny`",
    );
    check_refused(
        r#"{"Statement":[{"Effect":"Allow"}]}"#,
        "Statement[0]: has no Principal; every statement of a key policy needs one",
    );
    check_refused(
        r#"{"Statement":{"Effect":"allow","Principal":"*"}}"#,
        "Statement.Effect: `allow` is not an effect; write `Allow` or `Deny`",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"x"}}}"#,
        "Statement.Principal.Federated: cannot stand in a key policy; use `AWS` or `Service`",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}}}"#,
        "Statement.Principal.AWS: `arn:aws:iam::111122223333:role/*` does not name a principal: a wildcard or an empty name is not allowed here",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Condition":{"StringEqual":{"a":"b"}}}}"#,
        "Statement.Condition.StringEqual: `StringEqual` is not a condition operator",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Condition":{"Bool":{"a:b":"true","A:B":"true"}}}}"#,
        "Statement.Condition.Bool.A:B: stands twice under one operator; case does not distinguish condition keys",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Effect":"Allow"}}"#,
        "`Effect` stands twice in one object at line 1 column 54",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Principal":"*","NotNotAction":"*"}}"#,
        "Statement.NotNotAction: is not an element of a statement",
    );
    check_refused(
        r#"{"Statement":"#,
        "not JSON: EOF while parsing a value at line 1 column 13",
    );
}

fn principal(text: &str) -> Holder {
    Holder::Principal(Principal::parse(text, place().partition()).unwrap())
}

fn user(holder: &str, operations: &[&str], context: &[(&str, &str)]) -> User {
    User {
        holders: [principal(holder)].into(),
        allowances: operations.iter().map(|one| one.parse().unwrap()).collect(),
        via: [].into(),
        context: context
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

const API: &str = "arn:aws:iam::111122223333:role/api";
const REPORTING: &str = "arn:aws:iam::111122223333:role/reporting";

fn users(users: Vec<User>) -> Duties {
    Duties { users, ..nobody() }
}

/// The actions that a compiled user has whatever the encryption context.
#[track_caller]
fn check_open(operations: &[&str], open: &[&str]) {
    let duties = users(vec![user(API, operations, &[("tenant", "eu")])]);
    let document = compile(&duties, &symmetric(), &[]);
    let is_open = |one: &&Statement| {
        let of_context = |one: &Condition| one.key.starts_with("kms:EncryptionContext:");
        !one.conditions.iter().any(of_context)
    };
    let found: Vec<String> = document
        .statements
        .iter()
        .skip(1)
        .filter(is_open)
        .flat_map(|one| match &one.actions {
            Actions::Any(set) | Actions::Not(set) => set.iter().map(ToString::to_string),
        })
        .collect();
    assert_eq!(found, open);
}

#[test]
fn only_what_cannot_give_access_stands_without_the_context() {
    check_open(&[], &["kms:DescribeKey"]);
    check_open(&["decrypt"], &[]);
    check_open(&["decrypt", "describe"], &["kms:DescribeKey"]);
    check_open(
        &["decrypt", "grant"],
        &["kms:ListGrants", "kms:RevokeGrant"],
    );
    check_open(&["decrypt", "CreateGrant"], &[]);
    check_open(&["decrypt", "delegate"], &[]);
    check_open(&["decrypt", "delete"], &[]);
    check_open(&["describe"], &[]);
    check_open(
        &["decrypt", "administer"],
        &["kms:Describe*", "kms:Get*", "kms:List*"],
    );
}

#[track_caller]
fn check_problems(user: User, key: &KeyContext, expected: &[&str]) {
    let problems = policy::check(&users(vec![user]), key);
    let messages: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages, expected);
}

#[test]
fn users_whose_terms_cannot_hold_are_told() {
    let key = symmetric();
    let tenant = [("tenant", "eu")];
    check_problems(user(API, &[], &tenant), &key, &[]);
    check_problems(
        user(API, &["decrypt", "describe", "grant"], &tenant),
        &key,
        &[],
    );
    check_problems(
        user(API, &["decrypt", "delegate"], &tenant),
        &key,
        &["`delegate` cannot depend on an encryption context"],
    );
    check_problems(
        user(API, &["decrypt", "DisableKey"], &tenant),
        &key,
        &["`DisableKey` cannot depend on an encryption context"],
    );
    check_problems(
        user(API, &["describe"], &tenant),
        &key,
        &["none of the user's operations carries an encryption context"],
    );
    check_problems(
        user(API, &["decrypt"], &[("Tenant", "eu"), ("tenant", "us")]),
        &key,
        &["`Tenant` and `tenant` are one name to KMS, so no request can meet both"],
    );
    let partner = "arn:aws:iam::444455556666:role/partner";
    check_problems(
        user(partner, &["delete"], &[]),
        &key,
        &["`delete` does not work across accounts, so 444455556666:role/partner cannot use it"],
    );
    check_problems(user(partner, &["decrypt", "read"], &[]), &key, &[]);
}

#[test]
fn one_odd_statement_does_not_hide_the_duties_of_the_others() {
    let key = symmetric();
    let duties = Duties {
        administrators: [Principal::parse(REPORTING, place().partition()).unwrap()].into(),
        ..users(vec![user(API, &[], &[])])
    };
    let mut document = compile(&duties, &key, &[]);
    let other = compile(&users(vec![user(REPORTING, &[], &[])]), &key, &[]);
    document
        .statements
        .extend(other.statements.into_iter().skip(1));
    let lifted = lift(&document, &key);
    assert_eq!(lifted.duties, duties);
    assert_eq!(lifted.statements.len(), 2);
    assert!(same(
        &compile(&lifted.duties, &key, &lifted.statements),
        &document
    ));
}
