//! Sets of requests are sets, and policies are in a partial order.

use keywright::access::{Requests, Rights, Rules, Scene, Verdict};
use keywright::policy::{Document, Level};
use proptest::prelude::*;

use super::pairs::mirrored;
use super::{document, key, statement, verdicts};

/// Several policies that share statements, so that some of them include others.
fn related() -> impl Strategy<Value = [Document; 3]> {
    let pool = proptest::collection::vec(statement(), 1..4);
    (pool, any::<[u8; 3]>()).prop_map(|(pool, picks)| {
        picks.map(|pick| {
            let picked = pool.iter().enumerate();
            let picked = picked.filter(|(at, _)| *at == 0 || (pick >> at) & 1 == 1);
            document(&picked.map(|(_, one)| one.clone()).collect::<Vec<_>>())
        })
    })
}

/// What each policy gives at each level, all in one space; `None` where that is beyond the limits.
fn sets(policies: &[Document]) -> Option<Vec<Vec<Requests>>> {
    let key = key();
    let sides: Vec<Rights<'_>> = policies.iter().map(Rights::from).collect();
    let rules = Rules::read(&sides, &Scene::of(&key)).ok()?;
    let survey = rules.survey().ok()?;
    let levels = [Level::None, Level::Delegated, Level::Direct];
    let side = |side: usize| {
        let sets = levels.iter().map(|level| survey.at_least(side, *level));
        sets.collect::<Result<Vec<_>, _>>().ok()
    };
    (0..policies.len()).map(side).collect()
}

/// How the second policy stands to the first; `None` where they cannot be compared.
fn order(a: &Document, b: &Document) -> Option<Verdict> {
    let verdict = verdicts(a, b).scales.full;
    (verdict != Verdict::Undetermined).then_some(verdict)
}

proptest! {
    #[test]
    fn the_algebra_of_sets_holds([a, b, _] in related()) {
        let Some(sides) = sets(&[a, b]) else { return Ok(()) };
        for (a, b) in sides[0].iter().zip(&sides[1]) {
            let union = a.union(b).unwrap();
            let both = a.intersection(b);
            let only_a = a.difference(b).unwrap();
            let only_b = b.difference(a).unwrap();
            prop_assert!(a.equals(a).unwrap() && a.includes(a).unwrap());
            prop_assert!(union.includes(a).unwrap() && union.includes(b).unwrap());
            prop_assert!(a.includes(&both).unwrap() && b.includes(&both).unwrap());
            prop_assert!(only_a.intersection(b).is_empty());
            prop_assert!(only_a.union(b).unwrap().equals(&union).unwrap());
            prop_assert!(both.union(&only_a).unwrap().equals(a).unwrap());
            prop_assert!(only_a.union(&only_b).unwrap().union(&both).unwrap().equals(&union).unwrap());
            prop_assert_eq!(only_a.is_empty() && only_b.is_empty(), a.equals(b).unwrap());
            prop_assert_eq!(only_a.is_empty(), b.includes(a).unwrap());
        }
    }

    #[test]
    fn a_verdict_is_what_the_sets_say([a, b, _] in related()) {
        let Some(order) = order(&a, &b) else { return Ok(()) };
        let Some(sides) = sets(&[a, b]) else { return Ok(()) };
        let includes = |big: usize, small: usize| {
            sides[big].iter().zip(&sides[small]).all(|(big, small)| big.includes(small).unwrap())
        };
        let said = match (includes(0, 1), includes(1, 0)) {
            (true, true) => Verdict::Equivalent,
            (true, false) => Verdict::Narrower,
            (false, true) => Verdict::Wider,
            (false, false) => Verdict::Incomparable,
        };
        prop_assert_eq!(order, said);
    }

    #[test]
    fn policies_are_in_a_partial_order([a, b, c] in related()) {
        prop_assert_eq!(order(&a, &a), Some(Verdict::Equivalent));
        let (Some(ab), Some(ba), Some(bc), Some(ac)) =
            (order(&a, &b), order(&b, &a), order(&b, &c), order(&a, &c))
        else {
            return Ok(());
        };
        prop_assert_eq!(ab, mirrored(ba));
        let step = match (ab, bc) {
            (Verdict::Incomparable, _) | (_, Verdict::Incomparable) => None,
            (Verdict::Equivalent, other) | (other, Verdict::Equivalent) => Some(other),
            (one, other) => (one == other).then_some(one),
        };
        prop_assert!(step.is_none_or(|step| step == ac), "{ab:?} {bc:?} {ac:?}");
    }
}
