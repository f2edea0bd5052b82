//! Hostile policies end, with an answer or without one.

use keywright::access::{
    Comparison, Holdings, Query, Scene, Undetermined, Verdict, ask, compare, holdings, shifts,
};
use keywright::policy::{ActionPattern, Actions, Document, Principals};
use serde_json::{Value, json};

use super::holdings::columns;
use super::{document, key, principal};

const APP: &str = "arn:aws:iam::111122223333:role/app";

fn allow(condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*", "Condition": condition})
}

fn deny(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition})
}

/// What is said of a pair, by everything that looks at whole policies.
struct Said {
    comparison: Comparison,
    holdings: Result<Holdings, Undetermined>,
}

/// Puts every question about a pair.
fn said(a: &Document, b: &Document) -> Said {
    let key = key();
    let scene = Scene::of(&key);
    let comparison = compare(a, b, &scene);
    let told = shifts(a, b, &scene);
    if comparison.scales.full == Verdict::Equivalent
        && let Ok(told) = &told
    {
        assert!(told.is_empty(), "{told:#?}");
    }
    let query = Query {
        principals: Principals::Any(vec![principal(APP)].into()),
        actions: Actions::Any(vec![ActionPattern::new("kms:Decrypt")].into()),
        when: Vec::new(),
    };
    let _asked = ask(a.into(), std::slice::from_ref(&query), &scene);
    Said {
        comparison,
        holdings: holdings(a, &columns(), &scene),
    }
}

/// One pair: the verdict must be this one.
#[track_caller]
fn check(a: &[Value], b: &[Value], verdict: Verdict) -> Said {
    let said = said(&document(a), &document(b));
    assert_eq!(
        said.comparison.scales.full, verdict,
        "{:#?}",
        said.comparison
    );
    said
}

/// One pair of which nobody can tell.
#[track_caller]
fn unanswered(a: &[Value], b: &[Value]) {
    let key = key();
    let comparison = compare(&document(a), &document(b), &Scene::of(&key));
    assert_eq!(
        comparison.scales.full,
        Verdict::Undetermined,
        "{comparison:#?}"
    );
}

#[test]
fn overlapping_infixes_have_no_answer() {
    let infix = |c: char| allow(&json!({"StringLike": {"aws:PrincipalTag/x": format!("*{c}*")}}));
    let few: Vec<Value> = ('a'..='f').map(infix).collect();
    check(&few, &few[1..], Verdict::Narrower);
    let many: Vec<Value> = ('a'..='z').map(infix).collect();
    let said = check(&many, &many[1..], Verdict::Undetermined);
    assert!(said.holdings.is_err());
}

#[test]
fn a_value_of_thousands_of_wildcards_has_no_answer() {
    let long = "?*".repeat(8_000);
    let of =
        |more: &str| allow(&json!({"StringLike": {"aws:PrincipalTag/x": format!("{long}{more}")}}));
    unanswered(&[of("")], &[of("a")]);
    let mixed = |c: char| format!("{c}?*").repeat(2_000);
    let of = |c: char| allow(&json!({"StringLike": {"aws:PrincipalTag/x": mixed(c)}}));
    unanswered(&[of('a')], &[of('b')]);
    let of = |name: &str| json!({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": format!("kms:{}{name}", "?*".repeat(4_000)), "Resource": "*"});
    unanswered(&[of("")], &[of("y")]);
}

#[test]
fn a_partition_into_every_combination_is_followed_as_far_as_the_steps_go() {
    // Each statement allows one combination of the keys' values: together they allow all.
    let all = |keys: usize| -> Vec<Value> {
        let one = |number: usize| {
            let bits = (0..keys).map(|bit| {
                let value = (number >> bit) & 1 == 1;
                (format!("aws:PrincipalTag/{bit}"), json!(!value))
            });
            allow(&json!({"Null": bits.collect::<serde_json::Map<_, _>>()}))
        };
        (0..1 << keys).map(one).collect()
    };
    let plain = [allow(&json!({}))];
    check(&plain, &all(6), Verdict::Equivalent);
    let mut hole = all(6);
    hole.remove(21);
    check(&plain, &hole, Verdict::Narrower);
}

#[test]
fn many_set_conditions_on_one_key_have_no_answer() {
    let any = |number: usize| {
        allow(&json!({"ForAnyValue:StringEquals": {"aws:TagKeys": format!("t{number}")}}))
    };
    let few: Vec<Value> = (0..6).map(any).collect();
    check(&few, &few[1..], Verdict::Narrower);
    let many: Vec<Value> = (0..20).map(any).collect();
    check(&many, &many[1..], Verdict::Undetermined);
}

#[test]
fn conditions_on_many_keys_that_cross_end() {
    // Pairs of conditions on shared keys: what is left of one when the others go is many boxes.
    let crossing = |count: usize| -> Vec<Value> {
        let one = |number: usize| {
            let key = |at: usize| format!("aws:PrincipalTag/{}", at % count);
            deny(
                &json!({"StringEquals": {key(number): "a", key(number * 7 + 1): "b", key(number * 11 + 3): "c"}}),
            )
        };
        let mut all: Vec<Value> = (0..count).map(one).collect();
        all.push(allow(&json!({})));
        all
    };
    let some = crossing(7);
    check(&some, &some[1..], Verdict::Wider);
    let many = crossing(23);
    let said = said(&document(&many), &document(&many[1..]));
    assert!(
        matches!(
            said.comparison.scales.full,
            Verdict::Wider | Verdict::Undetermined
        ),
        "{:?}",
        said.comparison
    );
}

#[test]
fn many_statements_and_long_lists_of_principals_have_an_answer() {
    let statement = |number: usize| json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::111122223333:role/r{number}")}, "Action": "kms:Decrypt", "Resource": "*"});
    let many: Vec<Value> = (0..250).map(statement).collect();
    check(&many, &many[1..], Verdict::Narrower);
    let list = |count: usize| {
        let all: Vec<String> = (0..count)
            .map(|number| format!("arn:aws:iam::111122223333:role/r{number}"))
            .collect();
        json!({"Effect": "Allow", "Principal": {"AWS": all}, "Action": "kms:Decrypt", "Resource": "*"})
    };
    check(&[list(300)], &[list(299)], Verdict::Narrower);
    check(&[list(250)], &many, Verdict::Equivalent);
    unanswered(&[list(5_000)], &[list(4_999)]);
}
