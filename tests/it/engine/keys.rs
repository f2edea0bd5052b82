//! `CreateKey`, `DescribeKey`, `ListKeys`.

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType, OriginType, Tag};
use keywright::model::KeyType;

use super::bench::{ACCOUNT, Bench, UNKNOWN, arn, client, refused};

#[tokio::test]
async fn a_key_is_symmetric_and_enabled_when_nothing_else_is_asked_for() {
    let bench = Bench::new();
    let made = bench.kms.create_key().send().await.unwrap();
    let metadata = made.key_metadata.unwrap();
    let found = bench.kms.describe_key().key_id(&metadata.key_id);
    let found = found.send().await.unwrap().key_metadata.unwrap();
    assert_eq!(found, metadata);
    assert_eq!(found.aws_account_id(), Some(ACCOUNT));
    assert_eq!(found.arn(), Some(&*arn(&found.key_id)));
    assert!(found.enabled());
    assert_eq!(found.key_state(), Some(&KeyState::Enabled));
    assert_eq!(found.key_spec(), Some(&KeySpec::SymmetricDefault));
    assert_eq!(found.key_usage(), Some(&KeyUsageType::EncryptDecrypt));
    assert_eq!(found.origin(), Some(&OriginType::AwsKms));
    assert_eq!(found.description(), Some(""));
    assert_eq!(found.multi_region(), Some(false));
    assert_eq!(found.current_key_material_id().unwrap().len(), 64);
    assert_eq!(found.creation_date().unwrap().secs(), 1_780_000_000);
}

#[tokio::test]
async fn every_spec_can_be_created_with_every_usage() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    for kind in KeyType::all() {
        // The two larger RSA sizes take seconds without telling more than the smallest.
        if matches!(kind.spec.as_str(), "RSA_3072" | "RSA_4096") {
            continue;
        }
        let kms = if kind.spec.as_str() == "SM2" {
            &china
        } else {
            &bench.kms
        };
        let made = kms
            .create_key()
            .key_spec(kind.spec.as_str().into())
            .key_usage(kind.usage.as_str().into())
            .send()
            .await;
        let metadata = made.unwrap().key_metadata.unwrap();
        assert_eq!(metadata.key_spec().unwrap().as_str(), kind.spec.as_str());
        assert_eq!(metadata.key_usage().unwrap().as_str(), kind.usage.as_str());
        let lists = [
            !metadata.encryption_algorithms().is_empty(),
            !metadata.signing_algorithms().is_empty(),
            !metadata.mac_algorithms().is_empty(),
            !metadata.key_agreement_algorithms().is_empty(),
            !metadata.encapsulation_algorithms().is_empty(),
        ];
        assert_eq!(lists.iter().filter(|shown| **shown).count(), 1, "{kind:?}");
        let symmetric = kind == KeyType::SYMMETRIC;
        assert_eq!(metadata.current_key_material_id().is_some(), symmetric);
    }
}

#[tokio::test]
async fn keys_to_be_imported_wait_for_their_material() {
    let bench = Bench::new();
    let made = bench.kms.create_key().origin(OriginType::External);
    let metadata = made.send().await.unwrap().key_metadata.unwrap();
    assert_eq!(metadata.key_state(), Some(&KeyState::PendingImport));
    assert_eq!(metadata.origin(), Some(&OriginType::External));
    assert!(!metadata.enabled());
    assert_eq!(metadata.current_key_material_id(), None);
}

#[tokio::test]
async fn unknown_keys_are_named_by_their_full_arn() {
    let bench = Bench::new();
    let describe = |id: String| bench.kms.describe_key().key_id(id).send();
    let multi_region = "mrk-1234abcd12ab34cd56ef1234567890ab";
    for id in [UNKNOWN, multi_region] {
        let message = format!("Key '{}' does not exist", arn(id));
        refused(describe(id.to_owned()).await, "NotFoundException", &message);
        refused(describe(arn(id)).await, "NotFoundException", &message);
    }
}

#[tokio::test]
async fn keys_stay_in_their_region_and_account() {
    let bench = Bench::new();
    let id = bench.key().await;
    let elsewhere = client(&bench.engine, ACCOUNT, "us-east-1");
    let found = elsewhere.describe_key().key_id(&id).send().await;
    let message = format!("Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/{id}' does not exist");
    refused(found, "NotFoundException", &message);
    let found = elsewhere.describe_key().key_id(arn(&id)).send().await;
    refused(found, "NotFoundException", "Invalid arn eu-central-1");

    let other = client(&bench.engine, "444455556666", "eu-central-1");
    assert!(other.list_keys().send().await.unwrap().keys().is_empty());
    let message = |operation: &str| {
        format!(
            "User: arn:aws:iam::444455556666:root is not authorized to perform: kms:{operation} on resource: {} because \
             no resource-based policy allows the kms:{operation} action",
            arn(&id)
        )
    };
    let found = other.describe_key().key_id(arn(&id)).send().await;
    refused(found, "AccessDeniedException", &message("DescribeKey"));
    let got = other.get_key_policy().key_id(arn(&id)).send().await;
    refused(got, "AccessDeniedException", &message("GetKeyPolicy"));
}

#[tokio::test]
async fn access_keys_that_are_no_account_belong_to_the_default_account() {
    let bench = Bench::new();
    let kms = client(&bench.engine, "AKIDEXAMPLE", "eu-central-1");
    let made = kms.create_key().send().await.unwrap();
    let metadata = made.key_metadata.unwrap();
    assert_eq!(metadata.aws_account_id(), Some("999988887777"));
}

#[tokio::test]
async fn misspelt_key_ids_are_repeated() {
    let bench = Bench::new();
    let misspelt = [
        "fake-key-id",
        "mrk-fake-key-id",
        "1234abcd12ab34cd56ef1234567890ab",
        "key_id",
    ];
    for id in misspelt {
        let found = bench.kms.describe_key().key_id(id).send().await;
        refused(found, "NotFoundException", &format!("Invalid keyId '{id}'"));
        let listed = bench.kms.list_grants().key_id(id).send().await;
        refused(
            listed,
            "NotFoundException",
            &format!("Invalid keyId '{id}'"),
        );
    }
}

#[tokio::test]
async fn keys_that_are_not_symmetric_need_a_usage() {
    let bench = Bench::new();
    let made = bench.kms.create_key().key_spec(KeySpec::Hmac256);
    let message =
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
    refused(made.send().await, "ValidationException", message);
}

#[tokio::test]
async fn spec_and_usage_must_go_together() {
    let bench = Bench::new();
    let made = bench
        .kms
        .create_key()
        .key_spec(KeySpec::Rsa2048)
        .key_usage(KeyUsageType::KeyAgreement);
    let message = "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048";
    refused(made.send().await, "ValidationException", message);
}

#[tokio::test]
async fn unknown_specs_and_usages_list_the_known_ones() {
    let bench = Bench::new();
    let made = bench.kms.create_key().key_usage("RANDOM".into());
    let message = "1 validation error detected: Value 'RANDOM' at 'keyUsage' failed to satisfy constraint: Member must \
                   satisfy enum value set: [ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT, \
                   ENCAPSULATE_DECAPSULATE]";
    refused(made.send().await, "ValidationException", message);
    let made = bench.kms.create_key().key_spec("HMAC_random".into());
    let error = made.send().await.unwrap_err();
    let message = error.as_service_error().unwrap().message().unwrap();
    let start = "1 validation error detected: Value 'HMAC_random' at 'keySpec' failed to satisfy constraint: Member \
                 must satisfy enum value set: [SYMMETRIC_DEFAULT, ";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test]
async fn some_specs_belong_to_some_regions() {
    let bench = Bench::new();
    let made = bench
        .kms
        .create_key()
        .key_spec(KeySpec::Sm2)
        .key_usage(KeyUsageType::SignVerify);
    let message = "KeySpec SM2 is not supported in this Region.";
    refused(made.send().await, "UnsupportedOperationException", message);
}

#[tokio::test]
async fn descriptions_have_a_length() {
    let bench = Bench::new();
    let long = "x".repeat(8193);
    let made = bench.kms.create_key().description(&long).send().await;
    let message = format!(
        "1 validation error detected: Value '{long}' at 'description' failed to satisfy constraint: Member must have \
         length less than or equal to 8192"
    );
    refused(made, "ValidationException", &message);

    let id = bench.key().await;
    let update = bench.kms.update_key_description().key_id(&id);
    update.description("new").send().await.unwrap();
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    assert_eq!(found.key_metadata.unwrap().description(), Some("new"));
}

#[tokio::test]
async fn tags_of_new_keys_are_checked_and_kept() {
    let bench = Bench::new();
    let tag = |key: &str, value: &str| {
        Tag::builder()
            .tag_key(key)
            .tag_value(value)
            .build()
            .unwrap()
    };
    let tags = (0..51).map(|n| tag(&format!("key{n}"), "value")).collect();
    let made = bench.kms.create_key().set_tags(Some(tags)).send().await;
    refused(made, "TagException", "Too many tags");

    let made = bench
        .kms
        .create_key()
        .tags(tag("tag1", "value1"))
        .send()
        .await;
    let id = made.unwrap().key_metadata.unwrap().key_id;
    let listed = bench.kms.list_resource_tags().key_id(id).send().await;
    assert_eq!(listed.unwrap().tags(), [tag("tag1", "value1")]);
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let bench = Bench::new();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(bench.key().await);
    }
    made.sort();
    let mut listed = Vec::new();
    let mut marker = None;
    loop {
        let page = bench.kms.list_keys().limit(2).set_marker(marker.take());
        let page = page.send().await.unwrap();
        listed.extend(
            page.keys()
                .iter()
                .map(|key| key.key_id().unwrap().to_owned()),
        );
        assert_eq!(page.truncated, page.next_marker.is_some());
        if !page.truncated {
            break;
        }
        assert_eq!(page.keys().len(), 2);
        marker = page.next_marker;
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn limits_and_markers_are_checked() {
    let bench = Bench::new();
    let listed = bench.kms.list_keys().limit(1001).send().await;
    let message = "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have \
                   value less than or equal to 1000";
    refused(listed, "ValidationException", message);
    let listed = bench.kms.list_keys().marker("nonsense").send().await;
    refused(listed, "InvalidMarkerException", "");
}

#[tokio::test]
async fn only_own_keys_are_listed() {
    let bench = Bench::new();
    bench.kms.create_key().send().await.unwrap();
    let count = |owners: &str| {
        let (_, body) = bench.raw("ListKeys", &format!(r#"{{"ResourceOwners":{owners}}}"#));
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["Keys"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(count(r#"["SELF"]"#), Some(1));
    assert_eq!(count(r#"["SELF","OTHER_ACCOUNTS_VIA_RAM"]"#), Some(1));
    assert_eq!(count(r#"["OTHER_ACCOUNTS_VIA_RAM"]"#), Some(0));
    assert_eq!(count(r#"["ALL"]"#), None);
    assert_eq!(count("[]"), None);
    assert_eq!(count(r#"["SELF","SELF","SELF"]"#), None);
}
