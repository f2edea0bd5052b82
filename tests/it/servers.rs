//! The whole program before KMS servers: always the bundled engine, and one that nobody here wrote where the environment
//! names it, as `localstack/run` does. Each test has a Region of its own, and the server starts empty.

use aws_sdk_kms::types::{GrantListEntry, Tag};
use serde_json::{Value, json};

use crate::convergence::block_on;
use crate::support::sandbox::Run;
use crate::support::stage::{Server, Stage, changes, report};

const GRANTS: &str = "\
kind: Key
name: exports
administrators: [role/key-admin]
users: [role/exporter]
grants:
  - name: nightly
    grantee: role/nightly
    operations: [Decrypt]
    context: {purpose: export}
  - name: audit
    grantee: role/auditor
    operations: [Decrypt, DescribeKey]
    expires: 2026-09-01T00:00:00Z
";

const SIMPLE: &str = "\
kind: Key
name: orders
description: Orders at rest
tags: {team: orders, cost: c1}
administrators: [role/key-admin]
users: [role/orders]
";

#[track_caller]
fn check_changes(report: &Value, expected: &[&str]) {
    assert_eq!(changes(report), expected, "{report:#}");
}

/// A first run, before which the server is known to be empty.
#[track_caller]
fn check_created(stage: &Stage, keys: usize) -> Value {
    let planned = stage.report("plan", 2);
    assert_eq!(planned["summary"]["create"], keys, "{planned:#}");
    stage.apply("")
}

fn live_grants(stage: &Stage, alias: &str) -> Vec<GrantListEntry> {
    let listing = stage.client().list_grants().key_id(stage.key_id(alias));
    let mut grants = block_on(listing.send()).unwrap().grants().to_vec();
    grants.sort_by(|a, b| a.name().cmp(&b.name()));
    grants
}

/// What an apply wrote and could not read back, in the shape of a report.
fn unconfirmed(applied: &Value) -> Value {
    json!({"places": [{"keys": applied["applied"][0]["unconfirmed"]}]})
}

/// The quickstart, applied for the first time. A server that keeps no rotation period is told apart, to the letter.
fn quickstart(server: &Server) -> Stage {
    let stage = Stage::new(server, "us-east-2");
    stage.copy_shipped("quickstart");
    if server.forgets_rotation_periods() {
        let rotation = ["payments EnableKeyRotation"];
        let applied = stage.report("apply --yes", 4);
        check_changes(&unconfirmed(&applied), &rotation);
        assert!(
            applied["applied"][0]["keys"]
                .as_array()
                .unwrap()
                .iter()
                .all(|key| key["failure"] == Value::Null)
        );
        let planned = stage.report("plan", 2);
        check_changes(&planned, &rotation);
        assert_eq!(
            planned["places"][0]["keys"][0]["notes"][0]["code"],
            "period-not-kept"
        );
        // From here on with the period that such a server stands for.
        stage.edit("payments.yaml", "rotation: 180d", "rotation: 365d");
    } else {
        check_created(&stage, 2);
    }
    stage
}

#[test]
fn the_quickstart_converges_and_each_drift_is_found_and_mended() {
    for server in Server::all() {
        let stage = quickstart(&server);
        stage.check_clean();

        stage.edit("payments.yaml", "role/payments-api", "role/payments-web");
        let planned = stage.run("plan").expect(2).stdout;
        assert!(
            planned.contains("+        \"AWS\": \"arn:aws:iam::111122223333:role/payments-web\""),
            "{planned}"
        );
        check_changes(&stage.report("plan", 2), &["payments PutKeyPolicy"]);
        stage.apply("");
        stage.check_clean();

        open_to_the_account(&stage, "alias/payments");
        check_changes(&stage.report("drift", 2), &["payments PutKeyPolicy"]);
        stage.apply("");
        stage.check_clean();
    }
}

/// Puts KMS's default policy on a key, as somebody with a console might.
fn open_to_the_account(stage: &Stage, alias: &str) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*",
        }],
    });
    let put = stage.client().put_key_policy().key_id(stage.key_id(alias));
    block_on(put.policy_name("default").policy(policy.to_string()).send()).unwrap();
}

#[test]
fn the_keys_of_a_new_account_converge_in_every_region() {
    for server in Server::all() {
        let stage = Stage::new(&server, "eu-central-1");
        stage.copy_shipped("bootstrap");
        let applied = check_created(&stage, 12);
        let regions: Vec<&Value> = applied["places"]
            .as_array()
            .unwrap()
            .iter()
            .map(|place| &place["region"])
            .collect();
        assert_eq!(regions, ["eu-central-1", "eu-west-1"]);
        stage.check_clean();
    }
}

#[test]
fn grants_end_when_they_expire_and_are_replaced_without_a_gap() {
    for server in Server::all() {
        let stage = Stage::with(&server, "us-west-1", GRANTS);
        check_created(&stage, 1);
        stage.check_clean();
        assert_eq!(live_grants(&stage, "alias/exports").len(), 2);

        stage.write(&GRANTS.replace("[Decrypt]", "[Decrypt, Encrypt]"));
        let replaced = ["exports CreateGrant", "exports RevokeGrant"];
        check_changes(&stage.report("plan", 2), &replaced);
        if server.knows_grants_by_name_alone() {
            // It gives back the old grant as the new one, and so nothing is left when that is revoked.
            let applied = stage.report("apply --yes", 4);
            check_changes(&unconfirmed(&applied), &["exports CreateGrant"]);
        }
        stage.apply("");
        stage.check_clean();
        let grants = live_grants(&stage, "alias/exports");
        assert_eq!(grants.len(), 2);
        assert_eq!(grants[1].operations().len(), 2, "{grants:?}");

        let later = |words: &str, code| {
            report(
                stage.run_at("2026-09-01T00:00:00Z", &format!("{words} --output json")),
                code,
            )
        };
        check_changes(&later("drift", 2), &["exports RevokeGrant"]);
        later("apply --yes", 0);
        check_changes(&later("drift", 0), &[]);
        let names: Vec<String> = live_grants(&stage, "alias/exports")
            .iter()
            .map(|grant| grant.name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["keywright/nightly"]);
    }
}

#[test]
fn descriptions_tags_and_states_follow_the_manifest_and_not_the_tamperer() {
    for server in Server::all() {
        let stage = Stage::with(&server, "us-west-2", SIMPLE);
        check_created(&stage, 1);
        stage.check_clean();

        stage.write(
            &SIMPLE
                .replace("at rest", "on disk")
                .replace("team: orders, cost: c1", "team: sales"),
        );
        let expected = [
            "orders UpdateKeyDescription",
            "orders TagResource",
            "orders UntagResource",
        ];
        check_changes(&stage.report("plan", 2), &expected);
        stage.apply("");
        stage.check_clean();

        let (client, id) = (stage.client(), stage.key_id("alias/orders"));
        let tag = Tag::builder()
            .tag_key("team")
            .tag_value("nobody")
            .build()
            .unwrap();
        block_on(client.tag_resource().key_id(&id).tags(tag).send()).unwrap();
        block_on(client.disable_key().key_id(&id).send()).unwrap();
        check_changes(
            &stage.report("drift", 2),
            &["orders EnableKey", "orders TagResource"],
        );
        stage.apply("");
        stage.check_clean();

        stage.write(&SIMPLE.replace("name: orders\n", "name: orders\nenabled: false\n"));
        stage.run("apply --yes").expect(3);
        stage.apply("--allow-disable");
        stage.check_clean();
    }
}

#[test]
fn a_key_is_renamed_and_keeps_its_id() {
    for server in Server::all() {
        let stage = Stage::with(&server, "eu-north-1", SIMPLE);
        check_created(&stage, 1);
        let id = stage.key_id("alias/orders");
        stage.write(&SIMPLE.replace("name: orders\n", "name: purchases\nformerly: [orders]\n"));
        let expected = [
            "purchases TagResource",
            "purchases CreateAlias",
            "purchases DeleteAlias",
        ];
        check_changes(&stage.report("plan", 2), &expected);
        stage.apply("");
        stage.check_clean();
        assert_eq!(stage.key_id("alias/purchases"), id);
    }
}

#[test]
fn a_deletion_is_scheduled_and_cancelled() {
    for server in Server::all() {
        let stage = Stage::with(&server, "eu-west-3", SIMPLE);
        check_created(&stage, 1);
        let going = "name: orders\nstate: pending_deletion\ndeletion: {schedule: 7d, reason: moved to sales}\n";
        stage.write(&SIMPLE.replace("name: orders\n", going));
        if server.fails_at_unknown_operations() {
            // Whether the key is in use cannot be found out, and so it stays.
            let run = stage.run("apply --yes --allow-deletion").expect(5);
            assert!(run.stdout.contains("GetKeyLastUsage"), "{}", run.all());
            stage.write(SIMPLE);
            stage.check_clean();
            continue;
        }
        stage.run("apply --yes").expect(3);
        let applied = stage.apply("--allow-deletion");
        let notes = &applied["places"][0]["keys"][0]["notes"];
        assert_eq!(notes[0]["code"], "no-known-use", "{notes:#}");
        stage.check_clean();
        stage.write(SIMPLE);
        stage.apply("");
        stage.check_clean();
    }
}

#[test]
fn two_first_runs_at_once_end_with_one_key() {
    for server in Server::all() {
        let stage = Stage::with(&server, "ap-south-1", SIMPLE);
        let start = || {
            stage
                .command("apply --yes")
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let runs = [start(), start()];
        for run in runs {
            Run::of(&run.wait_with_output().unwrap()).expect(0);
        }
        stage.run("plan").expect(0);
        let listed = block_on(stage.client().list_aliases().send()).unwrap();
        let ours = listed
            .aliases()
            .iter()
            .filter(|alias| alias.alias_name() == Some("alias/orders"));
        assert_eq!(ours.count(), 1);
    }
}
