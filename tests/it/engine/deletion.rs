//! `ScheduleKeyDeletion`, `CancelKeyDeletion`, and what happens when the time has come.

use aws_sdk_kms::types::{GrantOperation, KeyState};

use super::bench::{Bench, arn, refused};

#[tokio::test]
async fn a_scheduled_key_waits_and_can_be_kept() {
    let bench = Bench::new();
    let id = bench.key().await;
    bench
        .kms
        .enable_key_rotation()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    let scheduled = bench
        .kms
        .schedule_key_deletion()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(scheduled.key_id(), Some(&*arn(&id)));
    assert_eq!(scheduled.key_state(), Some(&KeyState::PendingDeletion));
    assert_eq!(scheduled.pending_window_in_days(), Some(30));
    let date = scheduled.deletion_date().unwrap();
    assert_eq!(date.secs(), 1_780_000_000 + 30 * 86_400);
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    let metadata = found.key_metadata.unwrap();
    assert_eq!(metadata.deletion_date(), Some(date));
    assert!(!metadata.enabled());
    let status = || bench.kms.get_key_rotation_status().key_id(&id).send();
    assert!(!status().await.unwrap().key_rotation_enabled);

    let again = bench.kms.schedule_key_deletion().key_id(&id).send().await;
    let message = format!(
        "{} is pending deletion (or pending replica deletion).",
        arn(&id)
    );
    refused(again, "KMSInvalidStateException", &message);

    let cancelled = bench
        .kms
        .cancel_key_deletion()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(cancelled.key_id(), Some(&*arn(&id)));
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    let metadata = found.key_metadata.unwrap();
    assert_eq!(metadata.key_state(), Some(&KeyState::Disabled));
    assert_eq!(metadata.deletion_date(), None);
    assert!(status().await.unwrap().key_rotation_enabled);
}

#[tokio::test]
async fn waiting_periods_have_a_range() {
    let bench = Bench::new();
    let id = bench.key().await;
    for (days, broken) in [
        (6, "greater than or equal to 7"),
        (31, "less than or equal to 30"),
    ] {
        let scheduled = bench
            .kms
            .schedule_key_deletion()
            .key_id(&id)
            .pending_window_in_days(days);
        let message = format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: \
             Member must have value {broken}"
        );
        refused(scheduled.send().await, "ValidationException", &message);
    }
}

#[tokio::test]
async fn when_the_time_has_come_key_aliases_and_grants_are_gone() {
    let bench = Bench::new();
    let id = bench.key().await;
    let alias = bench
        .kms
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(&id);
    alias.send().await.unwrap();
    let retirer = "arn:aws:iam::111122223333:role/r";
    let grant = bench
        .kms
        .create_grant()
        .key_id(&id)
        .grantee_principal(retirer)
        .retiring_principal(retirer)
        .operations(GrantOperation::Decrypt);
    grant.send().await.unwrap();
    let scheduled = bench.kms.schedule_key_deletion().key_id(&id);
    scheduled.pending_window_in_days(7).send().await.unwrap();
    bench.clock.forward_days(6);
    assert_eq!(
        bench
            .kms
            .list_aliases()
            .send()
            .await
            .unwrap()
            .aliases()
            .len(),
        1
    );
    bench.clock.forward_days(1);
    assert_eq!(
        bench
            .kms
            .list_aliases()
            .send()
            .await
            .unwrap()
            .aliases()
            .len(),
        0
    );
    let retirable = bench
        .kms
        .list_retirable_grants()
        .retiring_principal(retirer);
    assert_eq!(retirable.send().await.unwrap().grants().len(), 0);
    assert_eq!(bench.kms.list_keys().send().await.unwrap().keys().len(), 0);
    let found = bench.kms.describe_key().key_id(&id).send().await;
    let message = format!("Key '{}' does not exist", arn(&id));
    refused(found, "NotFoundException", &message);
    // The name is free again.
    let id = bench.key().await;
    let alias = bench
        .kms
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(&id);
    alias.send().await.unwrap();
}
