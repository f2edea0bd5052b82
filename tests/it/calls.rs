//! How many API calls a run makes: on AWS they are what takes the time.

use std::collections::BTreeMap;

use keywright::observe::Others;

use crate::convergence::block_on;
use crate::support::account::Account;
use crate::support::manifests::TWO_KEYS;
use crate::support::policies::place;
use crate::support::sandbox::Sandbox;
use crate::support::world;

fn calls(report: &serde_json::Value) -> BTreeMap<String, u64> {
    serde_json::from_value(report["calls"].clone()).unwrap()
}

#[test]
fn creating_keys_takes_the_creating_calls_and_one_reading_back() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let made = calls(&sandbox.report("apply --yes"));
    let expected = [
        // Once to plan, once to read back; keys without aliases are looked for before anything is created.
        ("ListAliases", 2),
        ("ListKeys", 1),
        ("CreateKey", 2),
        ("CreateAlias", 2),
        ("EnableKeyRotation", 1),
        ("CreateGrant", 1),
        ("DescribeKey", 2),
        ("GetKeyPolicy", 2),
        ("ListGrants", 2),
        ("ListResourceTags", 2),
        ("GetKeyRotationStatus", 1),
    ];
    assert_eq!(
        made,
        expected.map(|(api, count)| (api.to_owned(), count)).into()
    );
}

#[test]
fn a_plan_without_changes_takes_five_calls_a_key_and_the_listing() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let made = calls(&sandbox.report("plan"));
    let expected = [
        ("ListAliases", 1),
        ("DescribeKey", 2),
        ("GetKeyPolicy", 2),
        ("ListGrants", 2),
        ("ListResourceTags", 2),
        ("GetKeyRotationStatus", 1),
    ];
    assert_eq!(
        made,
        expected.map(|(api, count)| (api.to_owned(), count)).into()
    );
}

#[test]
fn two_hundred_keys_take_five_calls_each_and_two_pages_of_aliases() {
    block_on(async {
        let keys = (0..200).map(world::plain_key).collect();
        let desired = world::in_place(keys);
        let account = Account::new(&place());
        let _outcome = account.apply(&account.plan(&desired).await).await;
        let before = account.client.calls();
        let _observed = account.observe(&desired, Others::WhenMissing).await;
        let after = account.client.calls();
        let made: BTreeMap<&str, u64> = after
            .iter()
            .map(|(api, count)| (*api, count - before.get(api).unwrap_or(&0)))
            .collect();
        let made: Vec<(&str, u64)> = made.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            made,
            [
                ("DescribeKey", 200),
                ("GetKeyPolicy", 200),
                ("GetKeyRotationStatus", 200),
                ("ListAliases", 2),
                ("ListGrants", 200),
                ("ListResourceTags", 200),
            ]
        );
    });
}
