//! The comparison of two policies is exact.

use keywright::access::{Scene, Universe, Verdict, Witness, compare, draw_any};
use keywright::model::Operation;
use keywright::policy::{
    ActionPattern, Context, Document, Effect, Level, Principals, Request, Statement, evaluate,
    write_compact,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::{Call, calls, document, key, level, pairs, statement, verdicts};

pub(super) fn mirrored(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Narrower => Verdict::Wider,
        Verdict::Wider => Verdict::Narrower,
        Verdict::Equivalent | Verdict::Incomparable | Verdict::Undetermined => verdict,
    }
}

/// What a verdict says of one request's places on a scale.
fn allows<T: Ord>(verdict: Verdict, a: &T, b: &T) -> bool {
    match verdict {
        Verdict::Equivalent => a == b,
        Verdict::Narrower => b <= a,
        Verdict::Wider => b >= a,
        Verdict::Incomparable | Verdict::Undetermined => true,
    }
}

/// What the ordinary evaluator answers the request of a witness.
fn replayed(document: &Document, witness: &Witness) -> Level {
    let mut context = Context::new();
    for (key, values) in &witness.context {
        context.set(key, values.iter().cloned());
    }
    let key = key();
    let request = Request {
        caller: &witness.principal,
        action: &witness.action,
        key: &key,
        context: &context,
    };
    evaluate(document, &request).level
}

proptest! {
    #[test]
    fn no_request_contradicts_a_verdict_and_its_witnesses_show_it(
        (a, b) in pairs(),
        calls in proptest::collection::vec(calls(), 10),
        numbers in any::<[u64; 10]>(),
    ) {
        let comparison = verdicts(&a, &b);
        let scales = comparison.scales;
        let texts = || format!("{}\n{}", write_compact(&a), write_compact(&b));
        for call in &calls {
            let (level_a, level_b) = (level(&a, call), level(&b, call));
            let (no_grant_a, no_grant_b) = (level_a.max(Level::None), level_b.max(Level::None));
            let (may_a, may_b) = (level_a >= Level::Delegated, level_b >= Level::Delegated);
            let fits = allows(scales.full, &level_a, &level_b)
                && allows(scales.nogrant, &no_grant_a, &no_grant_b)
                && allows(scales.may, &may_a, &may_b);
            prop_assert!(fits, "{comparison:?} {call:?} {level_a:?} {level_b:?}\n{}", texts());
        }
        let is_different = !matches!(scales.full, Verdict::Equivalent | Verdict::Undetermined);
        prop_assert_eq!(is_different, !comparison.witnesses.is_empty());
        for witness in &comparison.witnesses {
            prop_assert_ne!(witness.a, witness.b);
            prop_assert_eq!(replayed(&a, witness), witness.a, "{:?}", witness);
            prop_assert_eq!(replayed(&b, witness), witness.b, "{:?}", witness);
        }
        let key = key();
        let Ok(drawn) = draw_any(&a, &b, &Scene::of(&key), &numbers) else { return Ok(()) };
        for request in &drawn {
            let (level_a, level_b) = (replayed(&a, request), replayed(&b, request));
            prop_assert!(allows(scales.full, &level_a, &level_b), "{comparison:?} {request:?}\n{}", texts());
        }
    }
}

proptest! {
    #[test]
    fn a_mutated_policy_is_never_called_equal(
        (a, _) in pairs(),
        calls in proptest::collection::vec(calls(), 20),
        (at, mutation) in (any::<Index>(), 0..8_u8),
    ) {
        let b = mutated(&a, at, mutation, &calls[0]);
        let differs = |call: &&Call| level(&a, call) != level(&b, call);
        let verdict = verdicts(&a, &b).scales.full;
        if let Some(call) = calls.iter().find(differs) {
            prop_assert_ne!(verdict, Verdict::Equivalent, "{:?}\n{}\n{}", call, write_compact(&a), write_compact(&b));
        }
    }

    #[test]
    fn equal_by_construction_is_equal(
        statements in proptest::collection::vec(statement(), 1..5),
        seed in any::<u64>(),
        shadows in proptest::collection::vec((any::<Index>(), statement(), 0..3_u8), 0..3),
    ) {
        let reworded: Vec<Value> = statements.iter().map(|one| in_other_words(one, seed)).collect();
        let mut b = document(&reworded);
        for (at, other, part) in shadows {
            let shadowed = at.get(&b.statements).clone();
            let other = document(&[other]).statements.remove(0);
            b.statements.push(shadow(shadowed, &other, part));
        }
        let a = document(&statements);
        let key = key();
        let scene = Scene { universe: Universe::Today, ..Scene::of(&key) };
        let comparison = compare(&a, &b, &scene);
        let is_plain = a.statements.iter().all(|one| matches!(one.principals, Principals::Any(_)));
        let verdict = comparison.scales.full;
        prop_assert!(
            verdict == Verdict::Equivalent || (!is_plain && verdict == Verdict::Undetermined),
            "{comparison:#?}\n{}\n{}", write_compact(&a), write_compact(&b)
        );
    }
}

proptest! {
    #[test]
    fn the_other_way_round_is_the_mirror_image((a, b) in pairs()) {
        let (there, back) = (verdicts(&a, &b).scales, verdicts(&b, &a).scales);
        prop_assert_eq!(there.full, mirrored(back.full));
        prop_assert_eq!(there.nogrant, mirrored(back.nogrant));
        prop_assert_eq!(there.may, mirrored(back.may));
    }

    #[test]
    fn other_words_for_the_same_access_are_equivalent((a, _) in pairs(), seed in any::<u64>()) {
        let b = rewritten(&a, seed);
        let comparison = verdicts(&a, &b);
        prop_assert!(
            matches!(comparison.scales.full, Verdict::Equivalent | Verdict::Undetermined),
            "{comparison:#?}"
        );
        let unclear = a.statements.iter().any(|one| matches!(one.principals, Principals::Not(_)));
        prop_assert!(unclear || comparison.scales.full == Verdict::Equivalent || comparison.reason.is_some());
    }

    #[test]
    fn what_is_aimed_at_one_request_is_never_called_equal((a, _) in pairs(), call in calls()) {
        // Whatever the request's level is, one of the two changes it.
        let denied = level(&a, &call) == Level::Deny;
        let b = if denied { without_denials(&a) } else { with(&a, aimed(Effect::Deny, &call)) };
        prop_assert_ne!(level(&a, &call), level(&b, &call));
        prop_assert_ne!(verdicts(&a, &b).scales.full, Verdict::Equivalent);
    }
}

fn with(document: &Document, statement: Statement) -> Document {
    let mut changed = document.clone();
    changed.statements.push(statement);
    changed
}

/// A statement about one request alone, whatever its context.
fn aimed(effect: Effect, call: &Call) -> Statement {
    use keywright::policy::{Actions, Resources};
    Statement {
        sid: None,
        effect,
        principals: Principals::Any(vec![call.caller.clone()].into()),
        actions: Actions::Any(vec![ActionPattern::new(call.action)].into()),
        resources: Resources::this_key(),
        conditions: Vec::new().into(),
    }
}

fn without_denials(document: &Document) -> Document {
    let mut changed = document.clone();
    changed.statements.retain(|one| one.effect == Effect::Allow);
    changed
}

/// A policy with one statement changed.
fn mutated(document: &Document, at: Index, mutation: u8, call: &Call) -> Document {
    let mut changed = document.clone();
    let index = at.index(changed.statements.len());
    let one = &mut changed.statements[index];
    let aimed = |effect| aimed(effect, call);
    match mutation {
        0 => {
            one.effect = match one.effect {
                Effect::Allow => Effect::Deny,
                Effect::Deny => Effect::Allow,
            };
        }
        1 => one.conditions = Vec::new().into(),
        2 => one.principals = aimed(one.effect).principals,
        3 => one.actions = aimed(one.effect).actions,
        4 => one.principals = Principals::Any(vec![keywright::model::Principal::Anyone].into()),
        5 => *one = aimed(Effect::Allow),
        6 => *one = aimed(Effect::Deny),
        _ => drop(changed.statements.remove(index)),
    }
    changed
}

/// A statement that a given one includes: the same with fewer principals or actions, or with more conditions.
fn shadow(mut shadowed: Statement, other: &Statement, part: u8) -> Statement {
    use keywright::policy::Actions;
    let fewer = |count: usize| count.div_ceil(2);
    match (part, &shadowed.principals, &shadowed.actions) {
        (0, Principals::Any(all), _) => {
            let some: Vec<_> = all.iter().take(fewer(all.len())).cloned().collect();
            shadowed.principals = Principals::Any(some.into());
        }
        (1, _, Actions::Any(all)) => {
            let some: Vec<_> = all.iter().take(fewer(all.len())).cloned().collect();
            shadowed.actions = Actions::Any(some.into());
        }
        _ => {
            let all = shadowed.conditions.iter().chain(other.conditions.iter());
            shadowed.conditions = all.cloned().collect::<Vec<_>>().into();
        }
    }
    shadowed
}

/// The same statement as other JSON: single values for lists and lists for single values, the root user's ARN for the
/// account's id and back, names in another case, and today's operations for wildcards.
fn in_other_words(statement: &Value, seed: u64) -> Value {
    const ROOT: (&str, &str) = ("arn:aws:iam::", ":root");
    let mut object = statement.clone();
    for (name, who) in ["Principal", "NotPrincipal"].iter().zip(1..) {
        let Some(Value::Array(all)) = object.get_mut(*name).and_then(|who| who.get_mut("AWS"))
        else {
            continue;
        };
        for one in all.iter_mut().filter(|_| (seed >> who) & 1 == 1) {
            let text = one.as_str().unwrap().to_owned();
            let id = text
                .strip_prefix(ROOT.0)
                .and_then(|rest| rest.strip_suffix(ROOT.1));
            let is_id = text.bytes().all(|b| b.is_ascii_digit());
            if let Some(id) = id {
                *one = id.into();
            } else if is_id {
                *one = format!("{}{text}{}", ROOT.0, ROOT.1).into();
            }
        }
    }
    for name in ["Action", "NotAction"] {
        let Some(Value::Array(all)) = object.get_mut(name) else {
            continue;
        };
        if (seed >> 3) & 1 == 1 {
            *all = all
                .iter()
                .flat_map(|one| listed(one.as_str().unwrap()))
                .map(Value::from)
                .collect();
        }
    }
    for name in ["Resource", "Action", "NotAction"] {
        let Some(value) = object.get_mut(name) else {
            continue;
        };
        let bare = (seed >> 4) & 1 == 1;
        if let Some([one]) = value.as_array().map(Vec::as_slice).filter(|_| bare) {
            *value = one.clone();
        } else if value.is_string() && !bare {
            *value = vec![value.take()].into();
        }
    }
    object
}

/// Today's operations that a pattern covers, in upper case; a pattern of another service as it is.
fn listed(pattern: &str) -> Vec<String> {
    let action = ActionPattern::new(pattern);
    let names = Operation::ALL.iter().map(|operation| operation.action());
    let names: Vec<String> = names
        .filter(|name| action.matches(name))
        .map(|name| name.to_uppercase().replacen("KMS:", "kms:", 1))
        .collect();
    if names.is_empty() {
        vec![pattern.to_owned()]
    } else {
        names
    }
}

/// The same access in other words: statements split by principal and by action, doubled, and in another order.
fn rewritten(document: &Document, seed: u64) -> Document {
    use keywright::policy::Actions;
    let mut statements: Vec<Statement> = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        let choice = (seed >> (index * 2)) & 3;
        match (&statement.principals, &statement.actions, choice) {
            (Principals::Any(principals), _, 1) => {
                statements.extend(principals.iter().map(|one| Statement {
                    principals: Principals::Any(vec![one.clone()].into()),
                    ..statement.clone()
                }));
            }
            (_, Actions::Any(actions), 2) => {
                statements.extend(actions.iter().map(|one| Statement {
                    actions: Actions::Any(vec![one.clone()].into()),
                    ..statement.clone()
                }));
            }
            (_, _, 3) => statements.extend([statement.clone(), statement.clone()]),
            _ => statements.push(statement.clone()),
        }
    }
    statements.reverse();
    Document {
        statements,
        ..document.clone()
    }
}
