//! `keywright apply`: creates, changes, asks, refuses, and ends with the right code.

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::Sandbox;

#[test]
fn the_quickstart_creates_its_keys_and_has_nothing_to_do_again() {
    let sandbox = Sandbox::new();
    for file in ["payments.yaml", "releases.yaml"] {
        let path = format!("{}/manifests/quickstart/{file}", env!("CARGO_MANIFEST_DIR"));
        sandbox.write(&format!("manifests/{file}"), std::fs::read(path).unwrap());
    }
    let first = sandbox.run("apply --yes").expect(0);
    assert!(
        first.stdout.contains("Plan: 2 to create"),
        "{}",
        first.all()
    );
    assert!(
        first.stdout.ends_with("Applied: 6 changes done.\n"),
        "{}",
        first.all()
    );
    let second = sandbox.run("apply --yes").expect(0);
    assert_eq!(second.stdout, "Plan: no changes; 2 unchanged.\n");
}

#[test]
fn without_a_terminal_it_wants_yes_and_writes_nothing() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let run = sandbox.run("apply").expect(1);
    assert_eq!(
        run.stderr,
        "error: nobody can be asked here: review the plan above, then run again with --yes\n"
    );
    assert!(
        sandbox
            .run("plan")
            .expect(2)
            .stdout
            .contains("Plan: 2 to create")
    );
}

#[test]
fn nobody_is_asked_about_a_plan_that_is_not_there_to_read() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let run = sandbox.run("apply --output json").expect(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("Plan: 2 to create"), "{}", run.all());
    assert!(
        run.stderr.ends_with("run again with --yes\n"),
        "{}",
        run.all()
    );
}

#[test]
fn a_report_in_a_file_takes_the_place_of_no_text() {
    let sandbox = Sandbox::with(TWO_KEYS);
    let planned = sandbox.run("plan --output json=plan.json").expect(2);
    assert!(
        planned.stdout.contains("Plan: 2 to create"),
        "{}",
        planned.all()
    );
    let applied = sandbox
        .run("apply --yes --output json=apply.json")
        .expect(0);
    assert_eq!(
        applied.stdout.matches("Plan: ").count(),
        1,
        "{}",
        applied.all()
    );
    assert!(
        applied.stdout.ends_with(" changes done.\n"),
        "{}",
        applied.all()
    );
    for (file, verb) in [("plan.json", "plan"), ("apply.json", "apply")] {
        let text = std::fs::read(sandbox.path().join(file)).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(report["verb"], verb);
    }
}

#[test]
fn every_part_of_a_key_can_change_and_settles() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let changed = TWO_KEYS
        .replace("description: Card data at rest", "description: Cards")
        .replace("rotation: 180d", "rotation: 90d")
        .replace(
            "tags: {team: payments}",
            "tags: {stage: live}\naliases: [cards]",
        )
        .replace("operations: [Decrypt]", "operations: [Decrypt, Encrypt]")
        .replace("  - role/payments-api\n", "  - role/payments-web\n");
    sandbox.write("manifests/keys.yaml", changed);
    let run = sandbox.run("apply --yes").expect(0);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    ~ payments  [id]
        + role/nightly-export gains Encrypt, only with context purpose=export; so far only through IAM policies  [key-material]
        + role/payments-web gains CreateGrant, ListGrants, RevokeGrant, only when kms:GrantIsForAWSResource is true; so far only through IAM policies
        + role/payments-web gains Decrypt, Encrypt, DescribeKey, GenerateDataKey*, ReEncrypt*; so far only through IAM policies  [key-material]
        - role/payments-api loses all direct access: CreateGrant, ListGrants, RevokeGrant, only when kms:GrantIsForAWSResource is true; from now on only through IAM policies
        - role/payments-api loses all direct access: Decrypt, Encrypt, DescribeKey, GenerateDataKey*, ReEncrypt*; from now on only through IAM policies
        description  ~ "Card data at rest" -> "Cards"
        tags         + stage=live
        tags         - team=payments
        alias        + alias/cards
        rotation     ~ every 180 days -> every 90 days
        grant        + nightly-export: role/nightly-export may Decrypt, Encrypt when the context has purpose=export, before the old one goes
        policy       ~ replaced
          @@ -40,7 +40,7 @@
                 "Sid": "Allow use of the key",
                 "Effect": "Allow",
                 "Principal": {
          -        "AWS": "arn:aws:iam::111122223333:role/payments-api"
          +        "AWS": "arn:aws:iam::111122223333:role/payments-web"
                 },
                 "Action": [
                   "kms:Encrypt",
          @@ -55,7 +55,7 @@
                 "Sid": "Allow attachment of persistent resources",
                 "Effect": "Allow",
                 "Principal": {
          -        "AWS": "arn:aws:iam::111122223333:role/payments-api"
          +        "AWS": "arn:aws:iam::111122223333:role/payments-web"
                 },
                 "Action": [
                   "kms:CreateGrant",
        grant        - nightly-export: role/nightly-export may no longer Decrypt when the context has purpose=export: replaced

    Plan: 0 to create, 1 to change, 0 to delete; 1 unchanged.
    Applied: 8 changes done.
    "#);
    assert_eq!(
        sandbox.run("plan").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n"
    );
}

#[test]
fn a_key_is_renamed_without_losing_its_data() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("name: payments\n", "name: cards\nformerly: [payments]\n"),
    );
    let run = sandbox.run("apply --yes").expect(0);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    ~ cards  [id]
        tags         ~ keywright:key=payments -> cards
        alias        + alias/cards
        alias        - alias/payments

    Plan: 0 to create, 1 to change, 0 to delete; 1 unchanged.
    Applied: 3 changes done.
    "#);
    assert_eq!(
        sandbox.run("drift --all").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n"
    );
}

#[test]
fn disabling_needs_its_own_flag_and_enabling_does_not() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("name: payments\n", "name: payments\nenabled: false\n"),
    );
    let refused = sandbox.run("apply --yes").expect(3);
    assert!(
        refused
            .stdout
            .contains("refused (disabling): the key would be disabled"),
        "{}",
        refused.all()
    );
    sandbox.run("apply --yes --allow-disable").expect(0);
    assert!(sandbox.run("plan").expect(0).stdout.contains("no changes"));
    sandbox.write("manifests/keys.yaml", TWO_KEYS);
    assert!(
        sandbox
            .run("apply --yes")
            .expect(0)
            .stdout
            .contains("~ enable")
    );
}

#[test]
fn deletion_is_asked_for_in_words_allowed_by_a_flag_and_cancelled_aloud() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    let going = "name: payments\nstate: pending_deletion\ndeletion: {schedule: 10d, reason: replaced by cards}\n";
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("name: payments\n", going),
    );
    let refused = sandbox.run("apply --yes").expect(3);
    assert!(
        refused.stdout.contains("refused (deletion)"),
        "{}",
        refused.all()
    );
    let deleted = sandbox.run("apply --yes --allow-deletion").expect(0);
    assert!(
        deleted
            .stdout
            .contains("! delete the key in 10 days: replaced by cards"),
        "{}",
        deleted.all()
    );
    assert!(sandbox.run("plan").expect(0).stdout.contains("no changes"));
    sandbox.write("manifests/keys.yaml", TWO_KEYS);
    let cancelled = sandbox.run("apply --yes").expect(0);
    assert!(
        cancelled.stdout.contains("! cancel the scheduled deletion"),
        "{}",
        cancelled.all()
    );
    assert!(
        !cancelled.stdout.contains("off ->"),
        "KMS shows no rotation while a deletion waits: {}",
        cancelled.all()
    );
    assert!(sandbox.run("plan").expect(0).stdout.contains("no changes"));
}

#[test]
fn what_is_fixed_at_creation_is_refused_with_the_way_out() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace("spec: ECC_NIST_P256", "spec: ECC_NIST_P384"),
    );
    let run = sandbox.run("apply --yes").expect(3);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    ! releases  [id]
        refused (immutable): the key has spec ECC_NIST_P256, the manifest says ECC_NIST_P384; KMS fixes it at creation
          help: correct `spec`, or give the new key another name and move its aliases over

    Plan: nothing that may be done; 1 unchanged, 1 refused.
    "#);
}

#[test]
fn an_expired_grant_is_revoked_and_a_changed_one_is_replaced_first() {
    let sandbox = Sandbox::with(&TWO_KEYS.replace(
        "operations: [Decrypt]",
        "operations: [Decrypt]\n    expires: 2026-07-01T00:00:00Z",
    ));
    sandbox.run("apply --yes").expect(0);
    let mut later = sandbox.command();
    let later = later
        .args(["apply", "--yes"])
        .env("KEYWRIGHT_NOW", "2026-08-01T00:00:00Z")
        .output()
        .unwrap();
    let run = crate::support::sandbox::Run::of(&later).expect(0);
    insta::assert_snapshot!(run.stdout, @r"
    111122223333/us-east-1

    ~ payments  [id]
        - role/nightly-export loses all direct access: Decrypt, only with context purpose=export; from now on only through IAM policies
        grant        - nightly-export: role/nightly-export may no longer Decrypt when the context has purpose=export: expired
        note         grant `nightly-export` has expired and can leave the manifest

    Plan: 0 to create, 1 to change, 0 to delete; 1 unchanged.
    Applied: 1 change done.
    ");
}
