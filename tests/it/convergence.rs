//! What a reconciler is for: after a run there is nothing left to do, whatever was there before.

use std::collections::BTreeSet;
use std::time::Duration;

use keywright::engine::Chaos;
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
        .start_paused(true)
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

/// Lets runs follow each other, as a scheduler would, until one has nothing left to do; true when that came to pass.
async fn converge_in_the_end(account: &Account, desired: &Desired) -> bool {
    for _run in 0..12 {
        let plan = account.plan(desired).await;
        if is_settled(&plan) {
            return true;
        }
        let _outcome = account.apply(&plan).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn runs_converge_whatever_the_account_does_to_them(first in desired(), second in desired(), seed in any::<u64>()) {
        block_on(async {
            let chaos = "order,quotas,errors=3%,lost=3%,slow=200ms,reads=2s,aliases=2s,grants=5s,principals=5s";
            let chaos: Chaos = chaos.parse().unwrap();
            let account = Account::in_chaos(&place(), Chaos { seed, ..chaos });
            for world in [&first, &second, &first] {
                assert!(converge_in_the_end(&account, world).await, "{:#?}", account.plan(world).await);
            }
            let names = first.places[0].keys.keys().chain(second.places[0].keys.keys());
            let names: BTreeSet<_> = names.collect();
            let listed = loop {
                // Now and then this call has no luck either.
                if let Ok(listed) = account.client.sdk().list_keys().limit(1000).send().await {
                    break listed;
                }
            };
            let count = listed.keys().len();
            assert!(count <= names.len(), "{count} keys for {names:?}");
        });
    }
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
