//! What is told of who gains and who loses what is true, and all of it is told.

use keywright::access::{Drawn, Scene, Turn, Witness, draw, shifts};
use keywright::policy::{Document, Level, Principals, write_compact};
use proptest::prelude::*;

use super::{calls, key, level, pairs};

/// Whether a request's levels are those of a turn; what is told through IAM may need none.
fn turns(turn: Turn, a: Level, b: Level) -> bool {
    match turn {
        Turn::Gains => a <= Level::None && b == Level::Direct,
        Turn::GainsThroughIam => a <= Level::None && b >= Level::Delegated,
        Turn::NeedsNoIam => a == Level::Delegated && b == Level::Direct,
        Turn::Undenied => a == Level::Deny && b == Level::None,
        Turn::NeedsIam => a == Level::Direct && b == Level::Delegated,
        Turn::Loses => a == Level::Direct && b <= Level::None,
        Turn::LosesThroughIam => a >= Level::Delegated && b <= Level::None,
        Turn::Denied => a == Level::None && b == Level::Deny,
    }
}

/// The only turn with these levels.
fn turn(a: Level, b: Level) -> Option<Turn> {
    use Level::{Delegated, Direct, None as Nothing};
    match (a, b) {
        _ if a == b => None,
        (Direct, Delegated) => Some(Turn::NeedsIam),
        (Delegated, Direct) => Some(Turn::NeedsNoIam),
        (Direct, _) => Some(Turn::Loses),
        (_, Direct) => Some(Turn::Gains),
        (Delegated, _) => Some(Turn::LosesThroughIam),
        (_, Delegated) => Some(Turn::GainsThroughIam),
        (Nothing, _) => Some(Turn::Denied),
        (_, Nothing) => Some(Turn::Undenied),
        (Level::Deny, Level::Deny) => None,
    }
}

fn has_exception(document: &Document) -> bool {
    let mut statements = document.statements.iter();
    statements.any(|one| matches!(one.principals, Principals::Not(_)))
}

proptest! {
    #[test]
    fn every_request_of_a_sentence_turns_as_it_says((a, b) in pairs(), numbers in any::<[u64; 24]>()) {
        let key = key();
        let Ok(drawn) = draw(&a, &b, &Scene::of(&key), &numbers) else { return Ok(()) };
        for Drawn { witness, turns: told, has_more } in drawn {
            let Witness { a: before, b: after, .. } = &witness;
            let texts = || format!("{}\n{}", write_compact(&a), write_compact(&b));
            for one in &told {
                prop_assert!(turns(*one, *before, *after), "{one:?}: {witness:?}\n{}", texts());
            }
            prop_assert!(before == after || has_more || !told.is_empty(), "{witness:?}\n{}", texts());
        }
    }

    #[test]
    fn every_sentence_has_a_request_to_show_and_every_turn_a_sentence((a, b) in pairs(), calls in proptest::collection::vec(calls(), 10)) {
        let key = key();
        let Ok(shifts) = shifts(&a, &b, &Scene::of(&key)) else { return Ok(()) };
        for shift in &shifts.told {
            let Witness { a, b, .. } = &shift.witness;
            prop_assert!(turns(shift.turn, *a, *b), "{shift:?}");
            prop_assert!(!shift.principals.is_empty() && !shift.operations.is_empty(), "{shift:?}");
        }
        // Under the other reading, a request may turn otherwise.
        if has_exception(&a) || has_exception(&b) {
            return Ok(());
        }
        for call in &calls {
            let Some(turn) = turn(level(&a, call), level(&b, call)) else { continue };
            let is_told = shifts.told.iter().any(|shift| shift.turn == turn || turns_into(shift.turn, turn));
            prop_assert!(is_told || shifts.has_more, "{turn:?} {call:?} {shifts:?}");
        }
    }
}

/// True for a turn that is told along with another one.
fn turns_into(told: Turn, turn: Turn) -> bool {
    matches!(
        (told, turn),
        (Turn::GainsThroughIam, Turn::Gains) | (Turn::LosesThroughIam, Turn::Loses)
    )
}
