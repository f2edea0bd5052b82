//! `CreateKey`, `DescribeKey`, `ListKeys`.

use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType, OriginType, Tag};

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
