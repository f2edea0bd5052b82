//! `keywright drift`: what moved behind the manifests' back.

use serde_json::{Value, json};

use crate::support::manifests::TWO_KEYS;
use crate::support::sandbox::Sandbox;

/// Changes the live policy of `releases`.
fn behind_its_back(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) {
    sandbox.live(|client| async move {
        let id = client.key("alias/releases").await;
        let policy = client.get_key_policy().key_id(&id).send().await.unwrap();
        let mut policy = policy.policy().unwrap().parse().unwrap();
        change(&mut policy);
        let put = client.put_key_policy().key_id(&id);
        put.policy(policy.to_string()).send().await.unwrap();
    });
}

#[test]
fn a_policy_changed_behind_its_back_is_drift() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    assert_eq!(
        sandbox.run("drift").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n"
    );
    behind_its_back(&sandbox, |policy| {
        let changed = policy
            .to_string()
            .replace("role/release-job", "role/intruder");
        *policy = changed.parse().unwrap();
    });
    let run = sandbox.run("drift").expect(2);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    ~ releases  [id]
        + role/release-job gains Sign, DescribeKey, GetPublicKey, Verify; so far only through IAM policies  [key-material]
        - role/intruder loses all direct access: Sign, DescribeKey, GetPublicKey, Verify; from now on only through IAM policies
        policy       ~ replaced
          @@ -40,7 +40,7 @@
                 "Sid": "Allow use of the key",
                 "Effect": "Allow",
                 "Principal": {
          -        "AWS": "arn:aws:iam::111122223333:role/intruder"
          +        "AWS": "arn:aws:iam::111122223333:role/release-job"
                 },
                 "Action": [
                   "kms:DescribeKey",

    Plan: 0 to create, 1 to change, 0 to delete; 1 unchanged.
    "#);
}

#[test]
fn a_live_policy_that_no_file_could_have_is_read_all_the_same() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    behind_its_back(&sandbox, |policy| {
        let odd = json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"},
            "Action": ["kms:Sign", "k*:Verify", "s3:GetObject"], "Resource": "*",
            "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "abc"}, "StringEquals": {"aws:x": []}}});
        policy["Statement"].as_array_mut().unwrap().push(odd);
    });
    let run = sandbox.run("drift").expect(0);
    assert!(
        run.stdout
            .contains("the policy means the same in other words"),
        "{}",
        run.all()
    );
    sandbox
        .run("explain 444455556666:role/a Sign releases")
        .expect(2);
    sandbox.run("access releases").expect(0);
}

#[test]
fn other_words_for_the_same_policy_are_no_drift() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    behind_its_back(&sandbox, |policy| {
        policy["Statement"].as_array_mut().unwrap().reverse();
        policy["Statement"][0]["Sid"] = "renamed by hand".into();
    });
    let run = sandbox.run("drift").expect(0);
    assert!(
        run.stdout
            .contains("the policy means the same in other words"),
        "{}",
        run.all()
    );
    sandbox.run("apply --yes --rewrite").expect(0);
    assert_eq!(
        sandbox.run("drift").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n"
    );
}

#[test]
fn orphans_and_unmanaged_keys_are_found_and_left_alone() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.live(|client| async move {
        client.create_key().send().await.unwrap();
    });
    sandbox.run("drift").expect(0);
    assert!(
        sandbox
            .run("drift --all")
            .expect(2)
            .stdout
            .contains("unmanaged [id]: is in no manifest")
    );
    let (first, _) = TWO_KEYS.split_once("---").unwrap();
    sandbox.write("manifests/keys.yaml", first);
    let run = sandbox.run("drift").expect(2);
    insta::assert_snapshot!(run.stdout, @r#"
    111122223333/us-east-1

    orphan [id] (releases), alias/releases: carries our tags, but no manifest declares it; nothing is done to it

    Plan: no changes; 1 unchanged, 1 orphaned.
    "#);
}

#[test]
fn unmanaged_grants_are_kept_or_revoked_as_the_manifest_says() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.live(|client| async move {
        let request = client
            .create_grant()
            .key_id(client.key("alias/payments").await);
        let request = request.grantee_principal("arn:aws:iam::111122223333:role/stray");
        request
            .operations(aws_sdk_kms::types::GrantOperation::Decrypt)
            .send()
            .await
            .unwrap();
    });
    let kept = sandbox.run("drift").expect(0);
    assert!(
        kept.stdout
            .contains("grant [id] of role/stray is in no manifest"),
        "{}",
        kept.all()
    );
    sandbox.run("drift --all").expect(2);
    sandbox.write(
        "manifests/keys.yaml",
        TWO_KEYS.replace(
            "name: payments\n",
            "name: payments\nunmanaged_grants: revoke\n",
        ),
    );
    let revoked = sandbox.run("apply --yes").expect(0);
    assert!(
        revoked
            .stdout
            .contains("- grant [id]: role/stray may no longer Decrypt: not in any manifest"),
        "{}",
        revoked.all()
    );
    sandbox.run("drift --all").expect(0);
}

#[test]
fn what_waits_for_a_usable_key_is_drift() {
    let disabled = TWO_KEYS.replace("name: payments\n", "name: payments\nenabled: false\n");
    let sandbox = Sandbox::with(&disabled);
    sandbox.run("apply --yes").expect(0);
    assert_eq!(
        sandbox.run("drift --all").expect(0).stdout,
        "Plan: no changes; 2 unchanged.\n",
        "a disabled key waits for nothing where nothing differs"
    );
    sandbox.live(|client| async move {
        let id = client.key("alias/payments").await;
        let grants = client.list_grants().key_id(&id).send().await.unwrap();
        let grant = grants.grants()[0].grant_id().unwrap();
        let request = client.revoke_grant().key_id(&id).grant_id(grant);
        request.send().await.unwrap();
    });
    let run = sandbox.run("drift").expect(2);
    assert!(
        run.stdout
            .contains("note         grant `nightly-export` waits until the key is usable"),
        "{}",
        run.all()
    );
    // A plan has nothing to do about it.
    sandbox.run("plan").expect(0);
}

#[test]
fn an_alias_that_no_manifest_declares_is_drift_of_everything() {
    let sandbox = Sandbox::with(TWO_KEYS);
    sandbox.run("apply --yes").expect(0);
    sandbox.live(|client| async move {
        let request = client.create_alias().alias_name("alias/behind");
        let request = request.target_key_id(client.key("alias/payments").await);
        request.send().await.unwrap();
    });
    let run = sandbox.run("drift").expect(0);
    assert!(
        run.stdout.contains("alias/behind leads to the key too"),
        "{}",
        run.all()
    );
    sandbox.run("drift --all").expect(2);
}
