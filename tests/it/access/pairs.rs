//! The comparison of two policies is exact.

use keywright::access::Verdict;
use keywright::policy::{Document, Level, Statement, write_compact};
use proptest::prelude::*;

use super::{calls, level, pairs, verdicts};

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

proptest! {
    #[test]
    fn no_request_contradicts_a_verdict((a, b) in pairs(), calls in proptest::collection::vec(calls(), 10)) {
        let comparison = verdicts(&a, &b);
        for call in &calls {
            let (level_a, level_b) = (level(&a, call), level(&b, call));
            let texts = || (write_compact(&a), write_compact(&b));
            let scales = comparison.scales;
            let (no_grant_a, no_grant_b) = (level_a.max(Level::None), level_b.max(Level::None));
            let (may_a, may_b) = (level_a >= Level::Delegated, level_b >= Level::Delegated);
            prop_assert!(allows(scales.full, &level_a, &level_b), "{comparison:?} {call:?} {level_a:?} {level_b:?}\n{}\n{}", texts().0, texts().1);
            prop_assert!(allows(scales.nogrant, &no_grant_a, &no_grant_b), "{comparison:?} {call:?} {level_a:?} {level_b:?}\n{}\n{}", texts().0, texts().1);
            prop_assert!(allows(scales.may, &may_a, &may_b), "{comparison:?} {call:?} {level_a:?} {level_b:?}\n{}\n{}", texts().0, texts().1);
        }
        let is_different = !matches!(comparison.scales.full, Verdict::Equivalent | Verdict::Undetermined);
        prop_assert_eq!(is_different, !comparison.witnesses.is_empty());
        for witness in &comparison.witnesses {
            prop_assert_ne!(witness.a, witness.b);
        }
    }

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
        let unclear = a.statements.iter().any(|one| matches!(one.principals, keywright::policy::Principals::Not(_)));
        prop_assert!(unclear || comparison.scales.full == Verdict::Equivalent || comparison.reason.is_some());
    }
}

/// The same access in other words: statements split by principal and by action, doubled, and in another order.
fn rewritten(document: &Document, seed: u64) -> Document {
    use keywright::policy::{Actions, Principals};
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
