//! Misbehaviour on purpose, and that it is the same each time.

use std::sync::Arc;

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::GrantOperation;
use keywright::engine::{Chaos, ChaosError};
use serde_json::{Value, json};

use super::bench::{ACCOUNT, Bench, client, refused};
use crate::support::desk::{As, Desk, element};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;

fn desk(bench: &Bench) -> Desk {
    Desk {
        engine: Arc::clone(&bench.engine),
        now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
    }
}

async fn description(bench: &Bench, key: &str) -> Option<String> {
    let found = bench.kms.describe_key().key_id(key).send().await.ok()?;
    found.key_metadata?.description
}

#[test]
fn what_is_no_chaos_is_refused() {
    let check = |text: &str, wanted: &str| {
        let error: ChaosError = text.parse::<Chaos>().unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    };
    check("noise", "`noise` is no chaos; there are `seed`");
    check("errors=1", "`errors=1` needs a rate");
    check("lost=101%", "a rate from `0%` to `100%`");
    check("reads=2h", "a time such as `250ms` or `5s`");
    check("order=yes", "needs no value");
    check("quotas=half", "a part such as `50%`");
    check("seed=-1", "a whole number");
    assert_eq!("".parse::<Chaos>().unwrap(), Chaos::default());
}

#[tokio::test]
async fn lists_of_policies_come_in_any_order_and_mean_the_same() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["kms:*","kms:Encrypt","kms:Decrypt"],"Resource":"*"}]}"#;
    let mut runs = Vec::new();
    for _run in 0..2 {
        let bench = Bench::in_chaos("seed=3,order");
        let key = bench.key().await;
        let put = bench.kms.put_key_policy().key_id(&key).policy(policy);
        put.send().await.unwrap();
        let mut seen = Vec::new();
        for _look in 0..8 {
            let got = bench.kms.get_key_policy().key_id(&key).send().await;
            seen.push(got.unwrap().policy.unwrap());
        }
        assert!(seen.iter().any(|text| *text != seen[0]));
        for text in &seen {
            let policy: Value = serde_json::from_str(text).unwrap();
            let actions = policy["Statement"][0]["Action"].as_array().unwrap();
            let mut actions: Vec<_> = actions.iter().map(|one| one.as_str().unwrap()).collect();
            actions.sort_unstable();
            assert_eq!(actions, ["kms:*", "kms:Decrypt", "kms:Encrypt"]);
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn calls_beyond_a_quota_are_throttled_until_time_has_passed() {
    let bench = Bench::in_chaos("quotas");
    for _call in 0..5 {
        bench.key().await;
    }
    let sixth = bench.kms.create_key().send().await;
    refused(
        sixth,
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    );
    // Other operations have quotas of their own.
    assert_eq!(bench.kms.list_keys().send().await.unwrap().keys().len(), 5);
    bench.clock.forward_seconds(1);
    bench.key().await;
}

/// How often each of some calls works, done in turn until all are throttled.
fn answered(bench: &Bench, calls: &[(&str, Value)]) -> Vec<u32> {
    let mut counts = vec![0; calls.len()];
    loop {
        let before = counts.clone();
        for ((operation, members), count) in calls.iter().zip(&mut counts) {
            let (status, body) = bench.raw(operation, &members.to_string());
            let is_throttled = body.contains("ThrottlingException");
            assert!(status == 200 || is_throttled, "{operation}: {body}");
            *count += u32::from(!is_throttled);
        }
        if counts == before {
            return counts;
        }
    }
}

fn key_of(bench: &Bench, spec: &str, usage: &str) -> Value {
    let (_, made) = bench.raw(
        "CreateKey",
        &json!({"KeySpec": spec, "KeyUsage": usage}).to_string(),
    );
    let made: Value = serde_json::from_str(&made).unwrap();
    bench.clock.forward_minutes(1);
    made["KeyMetadata"]["KeyId"].clone()
}

#[test]
fn keys_of_one_kind_share_the_quota_of_what_uses_them() {
    let bench = Bench::in_chaos("quotas=1%");
    let aes = key_of(&bench, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let hmac = key_of(&bench, "HMAC_256", "GENERATE_VERIFY_MAC");
    let (p256, p384) = (
        key_of(&bench, "ECC_NIST_P256", "SIGN_VERIFY"),
        key_of(&bench, "ECC_NIST_P384", "SIGN_VERIFY"),
    );
    let lattice = key_of(&bench, "ML_DSA_44", "SIGN_VERIFY");
    let encrypt = ("Encrypt", json!({"KeyId": aes, "Plaintext": "AA=="}));
    let mac = (
        "GenerateMac",
        json!({"KeyId": hmac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"}),
    );
    let random = ("GenerateRandom", json!({"NumberOfBytes": 1}));
    let again = |operation, key: &Value| {
        let sealed = bench.raw("Encrypt", &encrypt.1.to_string()).1;
        let sealed: Value = serde_json::from_str(&sealed).unwrap();
        let blob = sealed["CiphertextBlob"].clone();
        (
            operation,
            json!({"CiphertextBlob": blob, "DestinationKeyId": key}),
        )
    };
    let re_encrypt = again("ReEncrypt", &aes);
    let decrypt = again("Decrypt", &Value::Null);
    bench.clock.forward_seconds(1);
    // A hundredth of 20,000 in eu-central-1.
    let counts = answered(&bench, &[encrypt, mac, random, re_encrypt, decrypt]);
    assert_eq!(counts, [40, 40, 40, 40, 40]);

    let sign = |key: &Value, algorithm: &str| {
        (
            "Sign",
            json!({"KeyId": key, "Message": "AA==", "SigningAlgorithm": algorithm}),
        )
    };
    // A hundredth of 1000 each.
    let calls = [
        sign(&p256, "ECDSA_SHA_256"),
        sign(&p384, "ECDSA_SHA_384"),
        sign(&lattice, "ML_DSA_SHAKE_256"),
    ];
    assert_eq!(answered(&bench, &calls), [5, 5, 10]);
}

#[test]
fn data_key_pairs_have_quotas_by_spec() {
    let bench = Bench::in_chaos("quotas=4%");
    let key = key_of(&bench, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let pair = |operation, spec: &str| (operation, json!({"KeyId": key, "KeyPairSpec": spec}));
    let calls = [
        pair("GenerateDataKeyPair", "ECC_NIST_P256"),
        pair("GenerateDataKeyPairWithoutPlaintext", "ECC_NIST_P256"),
        pair("GenerateDataKeyPair", "ECC_NIST_P384"),
        pair("GenerateDataKeyPair", "RSA_2048"),
    ];
    assert_eq!(answered(&bench, &calls), [2, 2, 4, 1]);
    // A bucket that fills with 0.8 calls a second is not full after one.
    bench.clock.forward_seconds(1);
    assert_eq!(answered(&bench, &calls[3..]), [0]);
    bench.clock.forward_seconds(1);
    assert_eq!(answered(&bench, &calls[3..]), [1]);
}

#[tokio::test]
async fn a_replica_counts_as_two_new_keys_of_its_region() {
    let bench = Bench::in_chaos("quotas");
    let mut keys = Vec::new();
    for _key in 0..3 {
        let made = bench.kms.create_key().multi_region(true).send();
        keys.push(made.await.unwrap().key_metadata.unwrap().key_id);
    }
    let replicate = |key: &String| {
        let call = bench.kms.replicate_key().key_id(key);
        call.replica_region("eu-west-1").send()
    };
    replicate(&keys[0]).await.unwrap();
    replicate(&keys[1]).await.unwrap();
    let third = replicate(&keys[2]).await.unwrap_err();
    assert_eq!(third.code(), Some("ThrottlingException"));
    let there = client(&bench.engine, ACCOUNT, "eu-west-1");
    there.create_key().send().await.unwrap();
    let second = there.create_key().send().await.unwrap_err();
    assert_eq!(second.code(), Some("ThrottlingException"));
    bench.key().await;
}

#[tokio::test]
async fn an_error_has_no_effect_and_a_lost_answer_has_one() {
    let calm = |chaos: &str| format!("seed=1,{chaos}");
    let bench = Bench::in_chaos(&calm("errors=50%"));
    let mut made = 0;
    for _call in 0..20 {
        made += usize::from(bench.kms.create_key().send().await.is_ok());
    }
    let listed = loop {
        if let Ok(listed) = bench.kms.list_keys().send().await {
            break listed.keys().len();
        }
    };
    assert!((1..20).contains(&made));
    assert_eq!(listed, made);
    let bench = Bench::in_chaos(&calm("lost=50%"));
    let mut heard = 0;
    for _call in 0..20 {
        match bench.kms.create_key().send().await {
            Ok(_) => heard += 1,
            Err(error) => assert!(error.as_service_error().is_none(), "{error:?}"),
        }
    }
    let listed = loop {
        if let Ok(listed) = bench.kms.list_keys().send().await {
            break listed.keys().len();
        }
    };
    assert!((1..20).contains(&heard));
    assert_eq!(listed, 20);
}

#[tokio::test]
async fn looks_and_aliases_may_see_what_was_but_not_for_long() {
    let bench = Bench::in_chaos("reads=2s,aliases=2s");
    let key = bench.key().await;
    bench.clock.forward_seconds(3);
    let update = bench.kms.update_key_description().key_id(&key);
    update.description("new").send().await.unwrap();
    let alias = bench.kms.create_alias().alias_name("alias/a");
    alias.target_key_id(&key).send().await.unwrap();
    bench.clock.forward_seconds(1);
    let (mut old, mut unknown) = (0, 0);
    for _look in 0..40 {
        old += usize::from(description(&bench, &key).await.as_deref() != Some("new"));
        let by_alias = bench.kms.encrypt().key_id("alias/a");
        let by_alias = by_alias.plaintext(Blob::new("x")).send().await;
        unknown += usize::from(by_alias.is_err());
    }
    assert!((5..35).contains(&old), "{old}");
    assert!((5..35).contains(&unknown), "{unknown}");
    bench.clock.forward_seconds(2);
    for _look in 0..40 {
        assert_eq!(description(&bench, &key).await.as_deref(), Some("new"));
        let by_alias = bench.kms.encrypt().key_id("alias/a");
        by_alias.plaintext(Blob::new("x")).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_new_grant_is_good_with_its_token_and_later_without() {
    let bench = Bench::in_chaos("grants=10s");
    let key = bench.key().await;
    let friend = "222233334444";
    let grant = bench.kms.create_grant().key_id(&key);
    let grant = grant
        .grantee_principal(format!("arn:aws:iam::{friend}:root"))
        .operations(GrantOperation::DescribeKey);
    let token = grant.send().await.unwrap().grant_token.unwrap();
    let arn = format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{key}");
    let theirs = client(&bench.engine, friend, super::bench::REGION);
    let mut denied = 0;
    for _call in 0..20 {
        let call = theirs.describe_key().key_id(&arn);
        denied += usize::from(call.clone().send().await.is_err());
        call.grant_tokens(&token).send().await.unwrap();
    }
    assert!(denied > 10, "{denied}");
    bench.clock.forward_seconds(11);
    for _call in 0..20 {
        theirs.describe_key().key_id(&arn).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_new_principal_cannot_be_named_at_once() {
    let bench = Bench::in_chaos("principals=10s");
    let key = bench.key().await;
    bench.clock.forward_seconds(20);
    let made = desk(&bench).done(
        &As::Root(ACCOUNT),
        "CreateRole",
        &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)],
    );
    let role = element(&made, "Arn");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":["{role}","{ACCOUNT}"]}},"Action":"kms:*","Resource":"*"}}}}"#
    );
    let put = || bench.kms.put_key_policy().key_id(&key).policy(&policy);
    let mut refusals = 0;
    for _call in 0..20 {
        refusals += usize::from(put().send().await.is_err());
    }
    assert!(refusals > 5, "{refusals}");
    bench.clock.forward_seconds(11);
    put().send().await.unwrap();
}

#[tokio::test]
async fn policies_and_grants_name_deleted_principals_by_unique_ids() {
    let bench = Bench::in_chaos("decay");
    let (desk, root) = (desk(&bench), As::Root(ACCOUNT));
    let role = [("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)];
    let made = desk.done(&root, "CreateRole", &role);
    let (arn, id) = (element(&made, "Arn"), element(&made, "RoleId"));
    let key = bench.key().await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":["{arn}","{ACCOUNT}"]}},"Action":"kms:*","Resource":"*","Condition":{{"StringNotEquals":{{"aws:PrincipalArn":"{arn}"}}}}}},{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"kms:*","Resource":"*"}}]}}"#
    );
    let put = bench.kms.put_key_policy().key_id(&key).policy(policy);
    put.send().await.unwrap();
    let grant = bench.kms.create_grant().key_id(&key);
    let grant = grant
        .grantee_principal(&arn)
        .operations(GrantOperation::Encrypt);
    grant.send().await.unwrap();
    desk.done(&root, "DeleteRole", &role[..1]);
    // Another role of the same name is not meant.
    desk.done(&root, "CreateRole", &role);
    let shown = bench.kms.get_key_policy().key_id(&key).send().await;
    let shown: Value = serde_json::from_str(&shown.unwrap().policy.unwrap()).unwrap();
    let statement = &shown["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"][0], id.as_str());
    let condition = &statement["Condition"]["StringNotEquals"];
    assert_eq!(condition["aws:PrincipalArn"], arn.as_str());
    let grants = bench.kms.list_grants().key_id(&key).send().await.unwrap();
    assert_eq!(grants.grants()[0].grantee_principal(), Some(id.as_str()));
}
