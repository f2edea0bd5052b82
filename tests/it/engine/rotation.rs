//! Automatic rotation and rotation on demand.

use aws_sdk_kms::operation::get_key_rotation_status::GetKeyRotationStatusOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    IncludeKeyMaterial, KeyMaterialState, KeySpec, KeyUsageType, OriginType, RotationType,
    RotationsListEntry,
};

use super::bench::{Bench, arn, refused};

async fn status(bench: &Bench, id: &str) -> GetKeyRotationStatusOutput {
    let got = bench.kms.get_key_rotation_status().key_id(id).send();
    got.await.unwrap()
}

async fn rotations(bench: &Bench, id: &str) -> Vec<RotationsListEntry> {
    let listed = bench.kms.list_key_rotations().key_id(id).send();
    listed.await.unwrap().rotations.unwrap()
}

async fn enable(bench: &Bench, id: &str, days: i32) {
    let enabled = bench.kms.enable_key_rotation().key_id(id);
    enabled.rotation_period_in_days(days).send().await.unwrap();
}

async fn encrypt(bench: &Bench, id: &str) -> Blob {
    let made = bench.kms.encrypt().key_id(id).plaintext(Blob::new("text"));
    made.send().await.unwrap().ciphertext_blob.unwrap()
}

async fn decrypt(bench: &Bench, ciphertext: Blob) -> (Blob, String) {
    let opened = bench.kms.decrypt().ciphertext_blob(ciphertext).send();
    let opened = opened.await.unwrap();
    (opened.plaintext.unwrap(), opened.key_material_id.unwrap())
}

#[tokio::test]
async fn rotation_is_off_until_it_is_enabled() {
    let bench = Bench::new();
    let id = bench.key().await;
    let off = status(&bench, &id).await;
    assert_eq!(off.key_id(), Some(&*arn(&id)));
    assert!(!off.key_rotation_enabled);
    assert_eq!(
        (off.rotation_period_in_days, off.next_rotation_date),
        (None, None)
    );
    bench
        .kms
        .enable_key_rotation()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    let on = status(&bench, &id).await;
    assert!(on.key_rotation_enabled);
    assert_eq!(on.rotation_period_in_days, Some(365));
    assert_eq!(
        on.next_rotation_date.unwrap().secs(),
        1_780_000_000 + 365 * 86_400
    );
    bench
        .kms
        .disable_key_rotation()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    bench
        .kms
        .disable_key_rotation()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert!(!status(&bench, &id).await.key_rotation_enabled);
}

#[tokio::test]
async fn periods_have_a_range() {
    let bench = Bench::new();
    let id = bench.key().await;
    for (days, broken) in [
        (89, "greater than or equal to 90"),
        (2561, "less than or equal to 2560"),
    ] {
        let enabled = bench
            .kms
            .enable_key_rotation()
            .key_id(&id)
            .rotation_period_in_days(days);
        let message = format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: \
             Member must have value {broken}"
        );
        refused(enabled.send().await, "ValidationException", &message);
    }
}

#[tokio::test]
async fn due_rotations_have_happened_and_old_ciphertexts_still_open() {
    let bench = Bench::new();
    let id = bench.key().await;
    enable(&bench, &id, 90).await;
    let old = encrypt(&bench, &id).await;
    bench.clock.forward_days(200);
    let seen = rotations(&bench, &id).await;
    let dates: Vec<i64> = seen
        .iter()
        .map(|entry| entry.rotation_date.unwrap().secs())
        .collect();
    assert_eq!(
        dates,
        [1_780_000_000 + 90 * 86_400, 1_780_000_000 + 180 * 86_400]
    );
    assert!(
        seen.iter()
            .all(|entry| entry.rotation_type == Some(RotationType::Automatic))
    );
    let next = status(&bench, &id).await.next_rotation_date.unwrap();
    assert_eq!(next.secs(), 1_780_000_000 + 270 * 86_400);

    let new = encrypt(&bench, &id).await;
    let (plaintext, first) = decrypt(&bench, old).await;
    let (_, third) = decrypt(&bench, new).await;
    assert_eq!(plaintext, Blob::new("text"));
    assert_ne!(first, third);
    assert_eq!(seen[1].key_material_id(), Some(&*third));
}

#[tokio::test]
async fn rotation_on_demand_changes_the_material_and_not_the_schedule() {
    let bench = Bench::new();
    let id = bench.key().await;
    enable(&bench, &id, 90).await;
    let next = status(&bench, &id).await.next_rotation_date;
    bench.clock.forward_days(1);
    let rotated = bench
        .kms
        .rotate_key_on_demand()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(rotated.key_id(), Some(&*arn(&id)));
    assert_eq!(status(&bench, &id).await.next_rotation_date, next);
    let all = bench
        .kms
        .list_key_rotations()
        .key_id(&id)
        .include_key_material(IncludeKeyMaterial::AllKeyMaterial);
    let all = all.send().await.unwrap().rotations.unwrap();
    let states: Vec<_> = all
        .iter()
        .map(|entry| entry.key_material_state.clone().unwrap())
        .collect();
    assert_eq!(
        states,
        [KeyMaterialState::NonCurrent, KeyMaterialState::Current]
    );
    assert_eq!(all[0].rotation_type, None);
    assert_eq!(all[1].rotation_type, Some(RotationType::OnDemand));
    let found = bench.kms.describe_key().key_id(&id).send().await.unwrap();
    let current = found.key_metadata.unwrap().current_key_material_id;
    assert_eq!(all[1].key_material_id, current);
}

#[tokio::test]
async fn rotations_on_demand_are_counted() {
    let bench = Bench::new();
    let id = bench.key().await;
    let rotate = || bench.kms.rotate_key_on_demand().key_id(&id).send();
    for _ in 0..25 {
        rotate().await.unwrap();
    }
    let message = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {}",
        arn(&id)
    );
    refused(rotate().await, "LimitExceededException", &message);
    let listed = bench
        .kms
        .list_key_rotations()
        .key_id(&id)
        .limit(20)
        .send()
        .await
        .unwrap();
    assert!(listed.truncated);
    let rest = bench
        .kms
        .list_key_rotations()
        .key_id(&id)
        .set_marker(listed.next_marker);
    assert_eq!(rest.send().await.unwrap().rotations().len(), 5);
}

#[tokio::test]
async fn rotation_on_demand_keeps_away_from_automatic_rotation() {
    let bench = Bench::new();
    let id = bench.key().await;
    enable(&bench, &id, 90).await;
    bench.clock.forward_minutes(90 * 24 * 60 - 20);
    let rotated = bench.kms.rotate_key_on_demand().key_id(&id).send().await;
    let message = format!(
        "An automatic rotation is in progress or scheduled within 20 minutes for the key: {}",
        arn(&id)
    );
    refused(rotated, "ConflictException", &message);
}

#[tokio::test]
async fn a_disabled_key_rotates_when_it_is_enabled_again() {
    let bench = Bench::new();
    let id = bench.key().await;
    enable(&bench, &id, 90).await;
    bench.kms.disable_key().key_id(&id).send().await.unwrap();
    bench.clock.forward_days(400);
    assert_eq!(rotations(&bench, &id).await, []);
    bench.kms.enable_key().key_id(&id).send().await.unwrap();
    let seen = rotations(&bench, &id).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].rotation_date.unwrap().secs(),
        1_780_000_000 + 400 * 86_400
    );
    let next = status(&bench, &id).await.next_rotation_date.unwrap();
    assert_eq!(next.secs(), 1_780_000_000 + 490 * 86_400);
}

#[tokio::test]
async fn a_key_that_is_enabled_at_the_very_time_of_its_rotation_rotates() {
    let bench = Bench::new();
    let id = bench.key().await;
    enable(&bench, &id, 90).await;
    bench.kms.disable_key().key_id(&id).send().await.unwrap();
    bench.clock.forward_days(90);
    assert_eq!(rotations(&bench, &id).await, []);
    bench.kms.enable_key().key_id(&id).send().await.unwrap();
    assert_eq!(rotations(&bench, &id).await.len(), 1);
}

#[tokio::test]
async fn only_symmetric_keys_made_by_kms_rotate() {
    let bench = Bench::new();
    let hmac = bench
        .kms
        .create_key()
        .key_spec(KeySpec::Hmac256)
        .key_usage(KeyUsageType::GenerateVerifyMac);
    let hmac = hmac.send().await.unwrap().key_metadata.unwrap().key_id;
    let code = "UnsupportedOperationException";
    refused(
        bench.kms.enable_key_rotation().key_id(&hmac).send().await,
        code,
        "",
    );
    refused(
        bench.kms.rotate_key_on_demand().key_id(&hmac).send().await,
        code,
        "",
    );
    assert!(!status(&bench, &hmac).await.key_rotation_enabled);

    let external = bench
        .kms
        .create_key()
        .origin(OriginType::External)
        .send()
        .await;
    let id = external.unwrap().key_metadata.unwrap().key_id;
    let message = format!(
        "{} origin is EXTERNAL which is not valid for this operation.",
        arn(&id)
    );
    refused(
        bench.kms.enable_key_rotation().key_id(&id).send().await,
        code,
        &message,
    );
    refused(
        bench.kms.disable_key_rotation().key_id(&id).send().await,
        code,
        &message,
    );
    let rotated = bench.kms.rotate_key_on_demand().key_id(&id).send().await;
    refused(
        rotated,
        "KMSInvalidStateException",
        &format!("{} is pending import.", arn(&id)),
    );
}
