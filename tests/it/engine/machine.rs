//! Random operations on keys and aliases against a model that fits on a page.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::Bench;

#[derive(Clone, Debug)]
enum Step {
    CreateKey,
    Enable(usize),
    Disable(usize),
    Schedule(usize),
    Cancel(usize),
    CreateAlias(usize, usize),
    UpdateAlias(usize, usize),
    DeleteAlias(usize),
    Days(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (key, alias) = (0_usize..4, 0_usize..3);
    prop_oneof![
        Just(Step::CreateKey),
        key.clone().prop_map(Step::Enable),
        key.clone().prop_map(Step::Disable),
        key.clone().prop_map(Step::Schedule),
        key.clone().prop_map(Step::Cancel),
        (alias.clone(), key.clone()).prop_map(|(alias, key)| Step::CreateAlias(alias, key)),
        (alias.clone(), key).prop_map(|(alias, key)| Step::UpdateAlias(alias, key)),
        alias.prop_map(Step::DeleteAlias),
        (1_i64..20).prop_map(Step::Days),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Enabled,
    Disabled,
    /// Days until the key is gone.
    Pending(i64),
    Gone,
}

/// What ought to be so.
#[derive(Debug, Default)]
struct Model {
    keys: Vec<(String, State)>,
    aliases: BTreeMap<usize, usize>,
}

impl Model {
    fn state(&self, key: usize) -> State {
        self.keys.get(key).map_or(State::Gone, |(_, state)| *state)
    }

    /// Does a step and tells whether it works.
    fn apply(&mut self, step: &Step) -> bool {
        let turned = |state: State, to: State| match state {
            State::Enabled | State::Disabled => Some(to),
            State::Pending(_) | State::Gone => None,
        };
        let (key, next) = match *step {
            Step::CreateKey => return true,
            Step::Days(days) => {
                self.pass(days);
                return true;
            }
            Step::CreateAlias(alias, key) | Step::UpdateAlias(alias, key) => {
                let known = self.aliases.contains_key(&alias);
                let live = matches!(self.state(key), State::Enabled | State::Disabled);
                let works = live && known == matches!(step, Step::UpdateAlias(..));
                if works {
                    self.aliases.insert(alias, key);
                }
                return works;
            }
            Step::DeleteAlias(alias) => return self.aliases.remove(&alias).is_some(),
            Step::Enable(key) => (key, turned(self.state(key), State::Enabled)),
            Step::Disable(key) => (key, turned(self.state(key), State::Disabled)),
            Step::Schedule(key) => (key, turned(self.state(key), State::Pending(7))),
            Step::Cancel(key) => {
                let pending = matches!(self.state(key), State::Pending(_));
                (key, pending.then_some(State::Disabled))
            }
        };
        if let Some(next) = next {
            self.keys[key].1 = next;
        }
        next.is_some()
    }

    fn pass(&mut self, days: i64) {
        for (_, state) in &mut self.keys {
            if let State::Pending(left) = *state {
                *state = if left > days {
                    State::Pending(left - days)
                } else {
                    State::Gone
                };
            }
        }
        let keys = &self.keys;
        self.aliases.retain(|_, key| keys[*key].1 != State::Gone);
    }
}

fn call(bench: &Bench, operation: &str, members: &Value) -> Option<Value> {
    let (status, body) = bench.raw(operation, &members.to_string());
    assert!(status < 500, "{body}");
    let body = if body.is_empty() { "{}" } else { &*body };
    (status == 200).then(|| serde_json::from_str(body).unwrap())
}

/// Does a step in the engine and tells whether it worked.
fn perform(bench: &Bench, model: &mut Model, step: &Step) -> bool {
    let id = |key: usize| {
        let known = model.keys.get(key).map(|(id, _)| id.clone());
        known.unwrap_or_else(|| "1234abcd-12ab-34cd-56ef-1234567890ab".to_owned())
    };
    let name = |alias: usize| format!("alias/{alias}");
    let (operation, members) = match *step {
        Step::CreateKey => {
            let made = call(bench, "CreateKey", &json!({})).unwrap();
            let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
            model.keys.push((id, State::Enabled));
            return true;
        }
        Step::Days(days) => {
            bench.clock.forward_days(days);
            return true;
        }
        Step::Enable(key) => ("EnableKey", json!({"KeyId": id(key)})),
        Step::Disable(key) => ("DisableKey", json!({"KeyId": id(key)})),
        Step::Schedule(key) => (
            "ScheduleKeyDeletion",
            json!({"KeyId": id(key), "PendingWindowInDays": 7}),
        ),
        Step::Cancel(key) => ("CancelKeyDeletion", json!({"KeyId": id(key)})),
        Step::CreateAlias(alias, key) => (
            "CreateAlias",
            json!({"AliasName": name(alias), "TargetKeyId": id(key)}),
        ),
        Step::UpdateAlias(alias, key) => (
            "UpdateAlias",
            json!({"AliasName": name(alias), "TargetKeyId": id(key)}),
        ),
        Step::DeleteAlias(alias) => ("DeleteAlias", json!({"AliasName": name(alias)})),
    };
    call(bench, operation, &members).is_some()
}

fn compare(bench: &Bench, model: &Model) {
    for (id, expected) in &model.keys {
        let found = call(bench, "DescribeKey", &json!({"KeyId": id}));
        let state = found.map(|found| found["KeyMetadata"]["KeyState"].clone());
        let expected = match expected {
            State::Enabled => Some(json!("Enabled")),
            State::Disabled => Some(json!("Disabled")),
            State::Pending(_) => Some(json!("PendingDeletion")),
            State::Gone => None,
        };
        assert_eq!(state, expected);
    }
    let listed = call(bench, "ListAliases", &json!({})).unwrap();
    let listed: Vec<_> = listed["Aliases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alias| {
            (
                alias["AliasName"].as_str().unwrap().to_owned(),
                alias["TargetKeyId"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected: Vec<_> = model
        .aliases
        .iter()
        .map(|(alias, key)| (format!("alias/{alias}"), model.keys[*key].0.clone()))
        .collect();
    assert_eq!(listed, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keys_and_aliases_behave_as_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let bench = Bench::new();
        let mut model = Model::default();
        for step in &steps {
            let worked = perform(&bench, &mut model, step);
            prop_assert_eq!(worked, model.apply(step), "{:?}", step);
            compare(&bench, &model);
        }
    }
}
