//! Whatever ends a run in the middle, the next run continues it, and no key is ever made twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use keywright::apply::Failure;
use keywright::engine::{Call, Interceptor, Store};
use keywright::kms::{Api, CallError, ErrorKind};
use keywright::manifest::{Fallback, Sources, load};
use keywright::observe::Others;
use keywright::plan::plan;
use keywright::state::{Desired, Part};

use crate::convergence::block_on;
use crate::support::account::{Account, limits};
use crate::support::engine;
use crate::support::manifests::TWO_KEYS;
use crate::support::policies::place;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::stage::report;

fn two_keys() -> Desired {
    let (sources, _) = Sources::from_texts([("keys.yaml".into(), TWO_KEYS.into())]);
    let (desired, found) = load(&sources, &Fallback { place: place() });
    assert_eq!(found, []);
    desired
}

/// Everything is as the manifests say, and there is nothing else.
#[track_caller]
pub(crate) fn check_converged(sandbox: &Sandbox) {
    let report = sandbox.report("drift --all");
    assert_eq!(report["summary"]["unchanged"], 2, "{report:#}");
    for other in [
        "create",
        "change",
        "delete",
        "refused",
        "unreadable",
        "orphans",
        "unmanaged",
    ] {
        assert_eq!(report["summary"][other], 0, "{report:#}");
    }
}

#[track_caller]
fn check_killed_at_every_call(side: &str) {
    for call in 1.. {
        let sandbox = Sandbox::with(TWO_KEYS);
        let mut command = sandbox.command();
        let first = command
            .args(["apply", "--yes"])
            .env("KEYWRIGHT_ENGINE_FAULT", format!("abort-{side}:{call}"))
            .output()
            .unwrap();
        if first.status.success() {
            assert!(call > 15, "a first apply takes more calls than {call}");
            return;
        }
        assert_eq!(first.status.code(), None, "the process was killed");
        sandbox.run("apply --yes").expect(0);
        check_converged(&sandbox);
    }
}

#[test]
fn a_run_killed_before_any_call_is_continued_without_a_second_key() {
    check_killed_at_every_call("before");
}

#[test]
fn a_run_killed_after_any_call_is_continued_without_a_second_key() {
    check_killed_at_every_call("after");
}

#[test]
fn a_run_that_is_refused_from_some_call_on_never_says_that_it_is_done() {
    for call in 1.. {
        let sandbox = Sandbox::with(TWO_KEYS);
        let mut command = sandbox.command();
        let first = command
            .args(["apply", "--yes"])
            .env("KEYWRIGHT_ENGINE_FAULT", format!("deny-from:{call}"))
            .output()
            .unwrap();
        let first = Run::of(&first);
        if first.code == Some(0) {
            assert!(call > 15, "a first apply takes more calls than {call}");
            return;
        }
        let said = first.all();
        assert!(said.contains("AccessDeniedException"), "{call}: {said}");
        // Nothing could be read, nothing could be created beside what was not read, or what was written is not seen.
        assert!(matches!(first.code, Some(1 | 4 | 5)), "{call}: {said}");
        sandbox.run("apply --yes").expect(0);
        check_converged(&sandbox);
    }
}

/// Answers one call as AWS does when it has a fault, before or after doing what was asked.
#[derive(Debug)]
struct Fault {
    number: u64,
    after: bool,
    seen: AtomicU64,
}

impl Fault {
    fn answer() -> Response<Bytes> {
        let body = r#"{"__type":"KMSInternalException","message":"injected"}"#;
        Response::builder()
            .status(500)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }
}

impl Interceptor for Fault {
    fn before(&self, _: &Call<'_>) -> Option<Response<Bytes>> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        (!self.after && number == self.number).then(Self::answer)
    }

    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        if self.after && call.number == self.number {
            Self::answer()
        } else {
            response
        }
    }
}

#[test]
fn a_server_fault_at_any_call_never_makes_a_second_key() {
    let desired = two_keys();
    for (number, after) in (1..20).flat_map(|number| [(number, false), (number, true)]) {
        block_on(async {
            let fault = Fault {
                number,
                after,
                seen: AtomicU64::new(0),
            };
            let account = Account::intercepted(&place(), Some(Arc::new(fault)));
            let plan = account.plan(&desired).await;
            let _first = account.apply(&plan).await;
            let again = account.plan(&desired).await;
            let _second = account.apply(&again).await;
            let observed = account.observe(&desired, Others::Always).await;
            assert_eq!(observed.places[0].keys.len(), 2, "fault at call {number}");
            assert_eq!(observed.places[0].others.len(), 0, "fault at call {number}");
            let settled = account.plan(&desired).await;
            assert!(
                settled.summary().is_clean(),
                "fault at call {number}: {settled:#?}"
            );
        });
    }
}

#[test]
fn two_first_runs_at_once_end_with_one_key_for_each_name() {
    block_on(async {
        let desired = two_keys();
        let engine = engine::open(Store::Memory);
        let (one, two) = (
            Account::on(&engine, &place()),
            Account::on(&engine, &place()),
        );
        let (plan_one, plan_two) = (one.plan(&desired).await, two.plan(&desired).await);
        let winner = one.apply(&plan_one).await;
        let loser = two.apply(&plan_two).await;
        assert!(winner.keys.iter().all(|key| key.failure.is_none()));
        assert!(
            loser
                .keys
                .iter()
                .all(|key| matches!(key.failure, Some(Failure::Superseded { .. }))),
            "{loser:?}"
        );
        assert!(two.plan(&desired).await.summary().is_clean());
        let observed = one.observe(&desired, Others::Always).await;
        let aliased = observed.places[0]
            .keys
            .values()
            .filter(|key| !key.aliases.is_empty());
        assert_eq!(aliased.count(), 2);
        // The losers wait for their deletion, which is nothing that anybody has to mend.
        assert_eq!(observed.places[0].others.len(), 2);
        let drift = plan(&desired, &observed, &limits());
        assert_eq!(drift.places[0].going.len(), 2);
        assert!(drift.summary().is_clean(), "{drift:#?}");
    });
}

#[test]
fn a_run_that_comes_second_goes_on_with_the_winners_keys() {
    let sandbox = Sandbox::with(TWO_KEYS);
    // After the two lists, and before the first key is made.
    let second = sandbox.run_around("apply --yes --output json", 3, |_| {
        sandbox.run("apply --yes").expect(0);
    });
    let report = report(second, 0);
    for key in report["applied"][0]["keys"].as_array().unwrap() {
        assert_eq!(key["skipped"], 0, "{report:#}");
        assert_eq!(key["failure"], serde_json::Value::Null, "{report:#}");
    }
    check_converged(&sandbox);
    let drift = sandbox.run("drift").expect(0);
    assert!(
        drift.stdout.contains("it is pending deletion"),
        "{}",
        drift.all()
    );
}

#[test]
fn a_change_behind_a_running_apply_is_refused_by_code_and_word() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let edited = TWO_KEYS.replace("Card data at rest", "Cards");
    sandbox.write("manifests/keys.yaml", edited);
    // The calls of a plan without changes, and then the look before the write.
    let run = sandbox
        .run_around("apply --yes", 11, |_| {
            sandbox.live(|client| async move {
                let id = client.key("alias/payments").await;
                let request = client.update_key_description().key_id(id);
                request.description("someone else's").send().await.unwrap();
            });
        })
        .expect(3);
    let (_, said) = run.stdout.split_once("Plan: ").unwrap();
    insta::assert_snapshot!(said, @r#"
    0 to create, 1 to change, 0 to delete; 1 unchanged.
    refused payments in 111122223333/us-east-1: the key's state and description changed after the plan was made; nothing more was written to the key
        help: look at what changed, then run again to plan from it
        not done: description ~ "Card data at rest" -> "Cards"
    Applied: 0 changes done, 1 failed.
    "#);
}

#[test]
fn a_change_that_fails_is_a_partial_run() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let edited = TWO_KEYS.replace("Card data at rest", "Cards");
    sandbox.write("manifests/keys.yaml", edited);
    let run = run_denied(&sandbox, "apply --yes", 12).expect(4);
    assert!(
        run.stdout.contains("failed payments in 111122223333/us-east-1: UpdateKeyDescription: AccessDeniedException: injected"),
        "{}",
        run.all()
    );
}

#[test]
fn keys_that_cannot_be_read_have_an_exit_code_of_their_own() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    for verb in ["plan", "drift", "apply --yes"] {
        let run = run_denied(&sandbox, verb, if verb == "drift" { 3 } else { 2 }).expect(5);
        assert!(run.stdout.contains("unreadable"), "{}", run.all());
    }
}

fn run_denied(sandbox: &Sandbox, words: &str, from: u32) -> Run {
    let mut command = sandbox.command();
    let command = command.args(words.split_whitespace());
    let fault = format!("deny-from:{from}");
    Run::of(
        &command
            .env("KEYWRIGHT_ENGINE_FAULT", fault)
            .output()
            .unwrap(),
    )
}

#[test]
fn a_policy_that_kms_refuses_as_a_lockout_comes_with_the_way_out() {
    let error = |message: &str| {
        Failure::Call(CallError {
            api: Api::PutKeyPolicy,
            kind: ErrorKind::Final,
            code: "MalformedPolicyDocumentException".to_owned(),
            message: message.to_owned(),
        })
    };
    let lockout = "The new key policy will not allow you to update the key policy in the future.";
    assert!(error(lockout).help().unwrap().contains("--allow-lockout"));
    assert_eq!(error("Syntax errors in policy.").help(), None);
}

#[test]
fn what_moved_after_the_plan_is_not_written() {
    block_on(async {
        let mut desired = two_keys();
        let engine = engine::open(Store::Memory);
        let (one, two) = (
            Account::on(&engine, &place()),
            Account::on(&engine, &place()),
        );
        let _first = one.apply(&one.plan(&desired).await).await;
        let payments = "payments".parse().unwrap();
        desired.places[0]
            .keys
            .get_mut(&payments)
            .unwrap()
            .description = "planned".to_owned();
        let plan = one.plan(&desired).await;
        let id = plan
            .keys()
            .find(|(_, key)| key.name == payments)
            .unwrap()
            .1
            .key
            .clone()
            .unwrap()
            .id;
        let request = two
            .client
            .sdk()
            .update_key_description()
            .key_id(id.as_str())
            .description("someone else's");
        request.send().await.unwrap();
        let outcome = one.apply(&plan).await;
        assert_eq!(
            outcome.keys[0].failure,
            Some(Failure::Stale(Part::Metadata))
        );
        let live = one.observe(&desired, Others::WhenMissing).await;
        assert_eq!(live.places[0].keys[&id].description, "someone else's");
    });
}

/// Refuses one operation.
#[derive(Debug)]
struct Denied(&'static str);

impl Interceptor for Denied {
    fn before(&self, call: &Call<'_>) -> Option<Response<Bytes>> {
        let body = r#"{"__type":"AccessDeniedException","Message":"injected"}"#;
        let refused = || {
            Response::builder()
                .status(400)
                .body(Bytes::from_static(body.as_bytes()))
                .unwrap()
        };
        (call.operation == self.0).then(refused)
    }
}

#[test]
fn a_failed_change_stops_its_own_key_and_no_other() {
    block_on(async {
        let desired = two_keys();
        let account = Account::intercepted(&place(), Some(Arc::new(Denied("EnableKeyRotation"))));
        let outcome = account.apply(&account.plan(&desired).await).await;
        let [payments, releases] = &outcome.keys[..] else {
            panic!("{outcome:?}")
        };
        assert_eq!(
            (payments.done, payments.skipped),
            (2, 1),
            "key and alias, then the rotation fails"
        );
        assert!(
            payments
                .failure
                .as_ref()
                .unwrap()
                .to_string()
                .contains("AccessDeniedException: injected")
        );
        assert_eq!((releases.done, releases.skipped), (2, 0));
        assert_eq!(releases.failure, None);
    });
}

#[test]
fn a_key_that_cannot_be_read_is_a_row_and_not_the_end() {
    block_on(async {
        let desired = two_keys();
        let engine = engine::open(Store::Memory);
        let _first = Account::on(&engine, &place());
        let account =
            Account::intercepted(&place(), Some(Arc::new(Denied("GetKeyRotationStatus"))));
        let _outcome = account.apply(&account.plan(&desired).await).await;
        let plan = account.plan(&desired).await;
        let rows: Vec<usize> = plan.keys().map(|(_, key)| key.unreadable.len()).collect();
        assert_eq!(rows, [1, 0], "{plan:#?}");
        assert!(plan.keys().all(|(_, key)| key.changes.is_empty()));
    });
}

#[test]
fn nothing_is_created_beside_keys_whose_tags_cannot_be_read() {
    block_on(async {
        let desired = two_keys();
        let account = Account::intercepted(&place(), Some(Arc::new(Denied("ListResourceTags"))));
        let stray = account.client.sdk().create_key().send().await.unwrap();
        let stray = stray.key_metadata().unwrap().key_id().to_owned();
        let plan = account.plan(&desired).await;
        for (_, key) in plan.keys() {
            assert!(key.changes.is_empty(), "{plan:#?}");
            let row = key.unreadable.first().unwrap();
            assert_eq!(row.operation, "ListResourceTags");
            assert_eq!(row.key.as_ref().unwrap().as_str(), stray);
        }
    });
}
