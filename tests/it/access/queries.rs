//! A question about all requests of a kind is answered for each of them.

use keywright::access::{Prospect, Query, Rights, Scene, Tables, ask, facts};
use keywright::model::Operation;
use keywright::policy::{Actions, Document, Level, Principals, write_compact};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{CALLED, CALLERS, KEYS, calls, document, key, level, pairs, principal};

fn query(who: &[&str], actions: &[&str], when: &[(&str, &[&str])]) -> Query {
    let principals: Vec<_> = who.iter().map(|one| principal(one)).collect();
    let actions: Vec<_> = actions
        .iter()
        .map(|one| keywright::policy::ActionPattern::new(one))
        .collect();
    let owned = |values: &[&str]| {
        values
            .iter()
            .map(|one| (*one).to_owned())
            .collect::<Vec<_>>()
    };
    Query {
        principals: Principals::Any(principals.into()),
        actions: Actions::Any(actions.into()),
        when: when
            .iter()
            .flat_map(|(key, values)| facts(key, &owned(values)))
            .collect(),
    }
}

fn asked(document: &Document, query: Query, tables: Tables) -> Prospect {
    let key = key();
    let scene = Scene {
        tables,
        ..Scene::of(&key)
    };
    let mut all = ask(Rights::from(document), &[query], &scene).unwrap();
    all.remove(0)
}

proptest! {
    #[test]
    fn no_request_is_answered_in_a_way_that_the_prospect_leaves_out(
        (policy, _) in pairs(),
        caller in select(CALLERS),
        action in select(CALLED),
        calls in proptest::collection::vec(calls(), 20),
    ) {
        let key = key();
        let question = query(&[caller], &[action], &[]);
        let Ok(all) = ask(Rights::from(&policy), std::slice::from_ref(&question), &Scene::of(&key)) else {
            return Ok(());
        };
        let Prospect { allowed, left_to_iam, refused } = &all[0];
        for mut call in calls {
            call.caller = principal(caller);
            call.action = action;
            let level = level(&policy, &call);
            let example = match level {
                Level::Direct => allowed,
                Level::Delegated => left_to_iam,
                Level::None | Level::Deny => refused,
            };
            prop_assert!(example.is_some(), "{call:?} {level:?}\n{}", write_compact(&policy));
        }
    }
}

/// Asks whether somebody can do something, of statements and with facts about the request.
#[track_caller]
fn check(
    statements: &[Value],
    (who, action): (&str, &str),
    when: &[(&str, &[&str])],
    expected: &str,
) {
    let prospect = asked(
        &document(statements),
        query(&[who], &[action], when),
        Tables::Ignored,
    );
    assert_eq!(words(&prospect), expected);
}

fn words(prospect: &Prospect) -> String {
    let Prospect {
        allowed,
        left_to_iam,
        refused,
    } = prospect;
    let kinds = [
        (allowed, "allowed"),
        (left_to_iam, "iam"),
        (refused, "refused"),
    ];
    let found = kinds.iter().filter(|(example, _)| example.is_some());
    found.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

const APP: &str = "arn:aws:iam::111122223333:role/app";

fn via_s3() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}})
}

#[test]
fn what_is_known_of_the_context_decides() {
    let s3 = ("kms:ViaService", ["s3.eu-central-1.amazonaws.com"]);
    let age = |minutes| [minutes];
    check(&[via_s3()], (APP, "kms:Decrypt"), &[], "allowed refused");
    check(
        &[via_s3()],
        (APP, "kms:Decrypt"),
        &[(s3.0, &s3.1), ("aws:MultiFactorAuthAge", &age("59"))],
        "allowed",
    );
    check(
        &[via_s3()],
        (APP, "kms:Decrypt"),
        &[(s3.0, &s3.1), ("aws:MultiFactorAuthAge", &age("61"))],
        "refused",
    );
    check(
        &[via_s3()],
        (APP, "kms:Decrypt"),
        &[("kms:ViaService", &["ec2.eu-central-1.amazonaws.com"])],
        "refused",
    );
    check(&[via_s3()], (APP, "kms:Encrypt"), &[], "refused");
}

#[test]
fn an_account_stands_for_everyone_of_it_and_a_role_for_its_sessions() {
    let delegation = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"});
    let session = "arn:aws:sts::111122223333:assumed-role/app/s-1";
    let only_session = json!({"Effect": "Allow", "Principal": {"AWS": session}, "Action": "kms:Decrypt", "Resource": "*"});
    check(
        std::slice::from_ref(&delegation),
        (APP, "kms:Decrypt"),
        &[],
        "iam",
    );
    check(
        std::slice::from_ref(&delegation),
        ("111122223333", "kms:Decrypt"),
        &[],
        "allowed iam",
    );
    check(
        &[delegation],
        ("444455556666", "kms:Decrypt"),
        &[],
        "refused",
    );
    check(
        std::slice::from_ref(&only_session),
        (APP, "kms:Decrypt"),
        &[],
        "allowed refused",
    );
    check(&[only_session], (session, "kms:Decrypt"), &[], "allowed");
}

#[test]
fn of_a_key_with_several_values_exactly_these_are_there() {
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "purpose"]}}});
    let keys = "kms:EncryptionContextKeys";
    let ask = (APP, "kms:Decrypt");
    check(
        std::slice::from_ref(&statement),
        ask,
        &[(keys, &["tenant"])],
        "allowed",
    );
    check(
        std::slice::from_ref(&statement),
        ask,
        &[(keys, &["tenant", "purpose"])],
        "allowed",
    );
    check(
        &[statement],
        ask,
        &[(keys, &["tenant", "other"])],
        "refused",
    );
}

#[test]
fn tables_leave_out_requests_that_there_are_not() {
    let conditioned = json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "eu"}}});
    let foreign = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/app"}, "Action": "kms:*", "Resource": "*"});
    let policy = document(&[conditioned, foreign]);
    let foreign_role = "arn:aws:iam::444455556666:role/app";
    let rows: &[(&str, &str, &str, &str)] = &[
        (APP, "kms:PutKeyPolicy", "allowed refused", "refused"),
        (APP, "kms:Decrypt", "allowed refused", "allowed refused"),
        (foreign_role, "kms:PutKeyPolicy", "iam", ""),
        (foreign_role, "kms:Decrypt", "iam", "iam"),
        (foreign_role, "kms:NotInventedYet", "iam", "iam"),
    ];
    for (who, action, ignored, heard) in rows {
        for (tables, expected) in [(Tables::Ignored, ignored), (Tables::Heard, heard)] {
            let prospect = asked(&policy, query(&[who], &[action], &[]), tables);
            assert_eq!(words(&prospect), *expected, "{who} {action} {tables:?}");
        }
    }
}

#[test]
fn an_example_names_the_statement_that_decides() {
    let prospect = asked(
        &document(&[via_s3()]),
        query(&[APP], &["kms:Decrypt"], &[]),
        Tables::Ignored,
    );
    let allowed = prospect.allowed.unwrap();
    assert_eq!(allowed.by.len(), 1);
    assert_eq!(
        allowed.context["kms:ViaService"],
        ["s3.eu-central-1.amazonaws.com"]
    );
    let refused = prospect.refused.unwrap();
    assert!(refused.by.is_empty() && refused.denial.is_some());
}

#[test]
fn an_example_names_what_leaves_it_to_iam() {
    let delegation = json!({"Sid": "iam", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:De*", "Resource": "*"});
    let policy = document(&[via_s3(), delegation]);
    let prospect = asked(
        &policy,
        query(&[APP], &["kms:Decrypt"], &[]),
        Tables::Ignored,
    );
    let Some(keywright::policy::Ground::Statement { index, sid, .. }) =
        prospect.left_to_iam.unwrap().by.pop()
    else {
        panic!("no statement");
    };
    assert_eq!((index, sid.as_deref()), (1, Some("iam")));
}

#[test]
fn every_key_of_the_generator_can_be_a_fact() {
    let policy = document(&[
        json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*"}),
    ]);
    for (key, _, _, values) in KEYS.iter().filter(|row| !row.3.is_empty()) {
        let question = query(
            &[APP],
            &[Operation::Decrypt.action()],
            &[(key, &values[..1])],
        );
        assert_eq!(
            words(&asked(&policy, question, Tables::Ignored)),
            "allowed",
            "{key}"
        );
    }
}
