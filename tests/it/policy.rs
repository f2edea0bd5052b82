//! The policy language: reading, writing, compiling and lifting are inverse where they should be.

use keywright::policy::{self, Document, compile, lift, read, same, write, write_compact};
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
        let again = Document { version: document.version, ..compile(&lifted.duties, &key, &lifted.statements) };
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
}
