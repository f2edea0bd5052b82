//! What a reconciler is for: after a run there is nothing left to do, whatever was there before.

use keywright::observe::Others;
use keywright::plan::{Action, Plan};
use keywright::state::Desired;
use proptest::prelude::*;

use crate::support::account::Account;
use crate::support::policies::place;
use crate::support::world::desired;

/// Runs a future to its end on this thread, with time that passes only where the code waits.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// Changes that are left after a first run where a key was off: what needs a usable key waits until it is on.
fn is_settled(plan: &Plan) -> bool {
    plan.keys().all(|(_, key)| {
        key.changes.is_empty() && key.refusals.is_empty() && key.unreadable.is_empty()
    })
}

async fn converge(account: &Account, desired: &Desired) {
    let plan = account.plan(desired).await;
    let outcome = account.apply(&plan).await;
    for key in &outcome.keys {
        assert_eq!(key.failure, None, "{key:?}\n{plan:#?}");
    }
    let again = account.plan(desired).await;
    assert!(is_settled(&again), "{again:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn after_apply_the_plan_is_empty_from_nothing_and_from_any_other_state(first in desired(), second in desired()) {
        block_on(async {
            let account = Account::new(&place());
            converge(&account, &first).await;
            converge(&account, &second).await;
            converge(&account, &first).await;
        });
    }

    #[test]
    fn a_satisfied_world_has_no_orphans_and_one_key_for_each_name(world in desired()) {
        block_on(async {
            let account = Account::new(&place());
            converge(&account, &world).await;
            converge(&account, &world).await;
            let observed = account.observe(&world, Others::Always).await;
            let live = &observed.places[0];
            assert_eq!(live.others.len(), 0);
            assert_eq!(live.keys.len(), world.places[0].keys.len());
        });
    }

    #[test]
    fn a_plan_never_creates_what_is_there(world in desired()) {
        block_on(async {
            let account = Account::new(&place());
            converge(&account, &world).await;
            let plan = account.plan(&world).await;
            let mut changes = plan.keys().flat_map(|(_, key)| &key.changes);
            assert!(!changes.any(|change| matches!(change.action, Action::CreateKey(_))));
        });
    }
}
