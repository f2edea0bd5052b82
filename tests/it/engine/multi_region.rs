//! Multi-Region keys: replicas, what they share, and which of them is the primary.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    KeyMetadata, KeySpec, KeyState, KeyUsageType, MultiRegionKeyType, OriginType,
};

use super::bench::{ACCOUNT, Bench, REGION, arn, client, key_of, refused};

const ELSEWHERE: &str = "us-east-1";

fn arn_in(region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}")
}

/// A primary, and a client in another Region.
async fn primary(bench: &Bench) -> (String, Client) {
    let made = bench
        .kms
        .create_key()
        .multi_region(true)
        .send()
        .await
        .unwrap();
    let id = made.key_metadata.unwrap().key_id;
    (id, client(&bench.engine, ACCOUNT, ELSEWHERE))
}

/// A primary with a replica that is ready.
async fn pair(bench: &Bench) -> (String, Client) {
    let (id, there) = primary(bench).await;
    let made = bench
        .kms
        .replicate_key()
        .key_id(&id)
        .replica_region(ELSEWHERE);
    made.send().await.unwrap();
    bench.clock.forward_minutes(1);
    (id, there)
}

async fn describe(kms: &Client, id: &str) -> KeyMetadata {
    let found = kms.describe_key().key_id(id).send().await.unwrap();
    found.key_metadata.unwrap()
}

async fn encrypt(kms: &Client, id: &str) -> Blob {
    let made = kms.encrypt().key_id(id).plaintext(Blob::new("text"));
    made.send().await.unwrap().ciphertext_blob.unwrap()
}

async fn decrypt(kms: &Client, blob: &Blob) -> Option<Blob> {
    let opened = kms.decrypt().ciphertext_blob(blob.clone()).send().await;
    opened.unwrap().plaintext
}

#[tokio::test]
async fn a_primary_shows_what_it_is() {
    let bench = Bench::new();
    let (id, there) = primary(&bench).await;
    assert!(id.starts_with("mrk-"));
    assert_eq!(id.len(), 36);
    let found = describe(&bench.kms, &id).await;
    assert_eq!(found.multi_region(), Some(true));
    let shown = found.multi_region_configuration().unwrap();
    assert_eq!(
        shown.multi_region_key_type(),
        Some(&MultiRegionKeyType::Primary)
    );
    assert_eq!(shown.primary_key().unwrap().arn(), Some(&*arn(&id)));
    assert_eq!(shown.primary_key().unwrap().region(), Some(REGION));
    assert_eq!(shown.replica_keys(), []);
    let message = format!("Key '{}' does not exist", arn_in(ELSEWHERE, &id));
    let missing = there.describe_key().key_id(&id).send().await;
    refused(missing, "NotFoundException", &message);
}

#[tokio::test]
async fn a_replica_is_made_after_a_moment() {
    let bench = Bench::new();
    let (id, there) = primary(&bench).await;
    let described = bench
        .kms
        .update_key_description()
        .key_id(&id)
        .description("here");
    described.send().await.unwrap();
    bench.clock.forward_minutes(1);
    let made = bench
        .kms
        .replicate_key()
        .key_id(&id)
        .replica_region(ELSEWHERE);
    let made = made.send().await.unwrap();
    assert_eq!(made.replica_tags, None);
    assert!(made.replica_policy().unwrap().contains("key-default-1"));
    let fresh = made.replica_key_metadata.unwrap();
    assert_eq!(fresh.arn(), Some(&*arn_in(ELSEWHERE, &id)));
    assert_eq!(fresh.key_state(), Some(&KeyState::Creating));
    assert_eq!((fresh.enabled(), fresh.description()), (false, Some("")));
    assert_eq!(fresh.current_key_material_id(), None);
    let age = |metadata: &KeyMetadata| metadata.creation_date().unwrap().secs();
    let primary = describe(&bench.kms, &id).await;
    assert_eq!(age(&fresh) - age(&primary), 60);
    let message = format!("{} is creating.", arn_in(ELSEWHERE, &id));
    let code = "KMSInvalidStateException";
    let early = there.encrypt().key_id(&id).plaintext(Blob::new("text"));
    refused(early.send().await, code, &message);
    refused(there.disable_key().key_id(&id).send().await, code, &message);

    bench.clock.forward_minutes(1);
    let replica = describe(&there, &id).await;
    assert_eq!(replica.key_state(), Some(&KeyState::Enabled));
    let here = describe(&bench.kms, &id).await;
    assert_eq!(
        replica.current_key_material_id(),
        here.current_key_material_id()
    );
    let shown = replica.multi_region_configuration().unwrap();
    assert_eq!(
        shown.multi_region_key_type(),
        Some(&MultiRegionKeyType::Replica)
    );
    assert_eq!(
        shown.primary_key(),
        here.multi_region_configuration().unwrap().primary_key()
    );
    assert_eq!(
        shown.replica_keys()[0].arn(),
        Some(&*arn_in(ELSEWHERE, &id))
    );
}

#[tokio::test]
async fn related_keys_open_each_others_ciphertexts() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    let blob = encrypt(&bench.kms, &id).await;
    assert_eq!(decrypt(&there, &blob).await, Some(Blob::new("text")));
    let blob = encrypt(&there, &id).await;
    assert_eq!(decrypt(&bench.kms, &blob).await, Some(Blob::new("text")));
}

#[tokio::test]
async fn what_is_not_shared_is_each_keys_own() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    there.disable_key().key_id(&id).send().await.unwrap();
    let alias = there
        .create_alias()
        .alias_name("alias/there")
        .target_key_id(&id);
    alias.send().await.unwrap();
    let here = describe(&bench.kms, &id).await;
    assert_eq!(here.key_state(), Some(&KeyState::Enabled));
    assert_eq!(bench.kms.list_aliases().send().await.unwrap().aliases(), []);
    encrypt(&bench.kms, &id).await;
    let used = there.get_key_last_usage().key_id(&id).send().await.unwrap();
    assert_eq!(used.key_last_usage.unwrap().operation, None);
}

#[tokio::test]
async fn one_replica_a_region_and_only_of_primaries() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    let replicate = |kms: &Client, id: &str, region: &str| {
        kms.replicate_key().key_id(id).replica_region(region).send()
    };
    let again = replicate(&bench.kms, &id, ELSEWHERE).await;
    let message = format!("{} already exists", arn_in(ELSEWHERE, &id));
    refused(again, "AlreadyExistsException", &message);
    let code = "UnsupportedOperationException";
    let message = format!(
        "{} is not a multi-region primary key.",
        arn_in(ELSEWHERE, &id)
    );
    refused(replicate(&there, &id, "eu-west-1").await, code, &message);
    let single = bench.key().await;
    let message = format!("{} is not a multi-region primary key.", arn(&single));
    refused(
        replicate(&bench.kms, &single, ELSEWHERE).await,
        code,
        &message,
    );
    for region in ["cn-north-1", "xx-nowhere-9"] {
        let abroad = replicate(&bench.kms, &id, region).await;
        let message = format!("Region {region} is not one that the key can be replicated to");
        refused(abroad, "ValidationException", &message);
    }
}

#[tokio::test]
async fn replicas_follow_the_rotations_of_their_primary() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    let old = encrypt(&there, &id).await;
    let enabled = bench
        .kms
        .enable_key_rotation()
        .key_id(&id)
        .rotation_period_in_days(90);
    enabled.send().await.unwrap();
    let status = there
        .get_key_rotation_status()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(status.rotation_period_in_days, Some(90));
    bench.clock.forward_days(91);
    bench
        .kms
        .rotate_key_on_demand()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    let listed = there.list_key_rotations().key_id(&id).send().await.unwrap();
    assert_eq!(listed.rotations().len(), 2);
    assert_eq!(
        describe(&there, &id).await.current_key_material_id(),
        describe(&bench.kms, &id).await.current_key_material_id()
    );
    let new = encrypt(&bench.kms, &id).await;
    for blob in [&old, &new] {
        assert_eq!(decrypt(&there, blob).await, Some(Blob::new("text")));
    }
    let message = format!(
        "{} is not a multi-region primary key.",
        arn_in(ELSEWHERE, &id)
    );
    let code = "UnsupportedOperationException";
    refused(
        there.rotate_key_on_demand().key_id(&id).send().await,
        code,
        &message,
    );
    refused(
        there.disable_key_rotation().key_id(&id).send().await,
        code,
        &message,
    );
}

#[tokio::test]
async fn a_later_replica_has_the_whole_history() {
    let bench = Bench::new();
    let (id, _) = pair(&bench).await;
    let old = encrypt(&bench.kms, &id).await;
    bench
        .kms
        .rotate_key_on_demand()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    let made = bench
        .kms
        .replicate_key()
        .key_id(&id)
        .replica_region("eu-west-1");
    made.send().await.unwrap();
    bench.clock.forward_minutes(1);
    let late = client(&bench.engine, ACCOUNT, "eu-west-1");
    assert_eq!(decrypt(&late, &old).await, Some(Blob::new("text")));
    let listed = late.list_key_rotations().key_id(&id).send().await.unwrap();
    assert_eq!(listed.rotations().len(), 1);
}

#[tokio::test]
async fn the_primary_moves() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    let enabled = bench.kms.enable_key_rotation().key_id(&id).send();
    enabled.await.unwrap();
    let moved = bench
        .kms
        .update_primary_region()
        .key_id(&id)
        .primary_region(ELSEWHERE);
    moved.send().await.unwrap();
    for kms in [&bench.kms, &there] {
        let found = describe(kms, &id).await;
        assert_eq!(found.key_state(), Some(&KeyState::Updating));
        let shown = found.multi_region_configuration().unwrap();
        assert_eq!(shown.primary_key().unwrap().region(), Some(ELSEWHERE));
        encrypt(kms, &id).await;
    }
    let code = "KMSInvalidStateException";
    let message = format!("{} is updating.", arn(&id));
    refused(
        bench.kms.disable_key().key_id(&id).send().await,
        code,
        &message,
    );
    let gone = bench.kms.schedule_key_deletion().key_id(&id).send().await;
    refused(gone, code, &message);
    bench.clock.forward_minutes(1);
    assert_eq!(
        describe(&there, &id).await.key_state(),
        Some(&KeyState::Enabled)
    );
    there
        .rotate_key_on_demand()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    there
        .disable_key_rotation()
        .key_id(&id)
        .send()
        .await
        .unwrap();

    let code = "UnsupportedOperationException";
    let again = bench
        .kms
        .update_primary_region()
        .key_id(&id)
        .primary_region(ELSEWHERE);
    let message = format!("{} is not a multi-region primary key.", arn(&id));
    refused(again.send().await, code, &message);
    let nowhere = there
        .update_primary_region()
        .key_id(&id)
        .primary_region("eu-west-1");
    let message = format!("Key '{}' does not exist", arn_in("eu-west-1", &id));
    refused(nowhere.send().await, "NotFoundException", &message);
}

#[tokio::test]
async fn a_primary_waits_for_its_replicas_to_go() {
    let bench = Bench::new();
    let (id, there) = pair(&bench).await;
    let schedule = |kms: &Client| {
        let scheduled = kms.schedule_key_deletion().key_id(&id);
        scheduled.pending_window_in_days(7).send()
    };
    let waits = schedule(&bench.kms).await.unwrap();
    assert_eq!(waits.key_state(), Some(&KeyState::PendingReplicaDeletion));
    assert_eq!(waits.deletion_date(), None);
    let found = describe(&bench.kms, &id).await;
    assert_eq!(found.key_state(), Some(&KeyState::PendingReplicaDeletion));
    assert_eq!(found.pending_deletion_window_in_days(), Some(7));
    bench.clock.forward_days(30);
    assert_eq!(describe(&bench.kms, &id).await.deletion_date(), None);

    let goes = schedule(&there).await.unwrap();
    assert_eq!(goes.key_state(), Some(&KeyState::PendingDeletion));
    bench.clock.forward_days(8);
    let found = describe(&bench.kms, &id).await;
    assert_eq!(found.key_state(), Some(&KeyState::PendingDeletion));
    let replica_gone = goes.deletion_date().unwrap().secs();
    assert_eq!(
        found.deletion_date().unwrap().secs(),
        replica_gone + 7 * 86_400
    );
    bench.clock.forward_days(7);
    let missing = bench.kms.describe_key().key_id(&id).send().await;
    let message = format!("Key '{}' does not exist", arn(&id));
    refused(missing, "NotFoundException", &message);
}

#[tokio::test]
async fn a_waiting_primary_can_stay() {
    let bench = Bench::new();
    let (id, _) = pair(&bench).await;
    let schedule = bench.kms.schedule_key_deletion().key_id(&id).send();
    schedule.await.unwrap();
    bench
        .kms
        .cancel_key_deletion()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        describe(&bench.kms, &id).await.key_state(),
        Some(&KeyState::Disabled)
    );
}

#[tokio::test]
async fn a_replica_of_an_external_key_waits_for_its_material() {
    let bench = Bench::new();
    let made = bench
        .kms
        .create_key()
        .multi_region(true)
        .origin(OriginType::External);
    let id = made.send().await.unwrap().key_metadata.unwrap().key_id;
    let replicate = || {
        bench
            .kms
            .replicate_key()
            .key_id(&id)
            .replica_region(ELSEWHERE)
            .send()
    };
    let message = format!("{} is pending import.", arn(&id));
    refused(replicate().await, "KMSInvalidStateException", &message);
    let there = client(&bench.engine, ACCOUNT, ELSEWHERE);
    let (first, second) = (&[1; 32], &[2; 32]);
    super::imports::put(&bench.kms, &id, first, None)
        .await
        .unwrap();
    let blob = encrypt(&bench.kms, &id).await;
    replicate().await.unwrap();
    bench.clock.forward_minutes(1);
    assert_eq!(
        describe(&there, &id).await.key_state(),
        Some(&KeyState::PendingImport)
    );
    let other = super::imports::put(&there, &id, second, None).await;
    refused(other, "IncorrectKeyMaterialException", "");
    super::imports::put(&there, &id, first, None).await.unwrap();
    assert_eq!(decrypt(&there, &blob).await, Some(Blob::new("text")));
}

#[tokio::test]
async fn new_material_turns_current_when_every_replica_has_it() {
    let bench = Bench::new();
    let made = bench
        .kms
        .create_key()
        .multi_region(true)
        .origin(OriginType::External);
    let id = made.send().await.unwrap().key_metadata.unwrap().key_id;
    let there = client(&bench.engine, ACCOUNT, ELSEWHERE);
    let (first, second) = (&[1; 32], &[2; 32]);
    super::imports::put(&bench.kms, &id, first, None)
        .await
        .unwrap();
    let made = bench
        .kms
        .replicate_key()
        .key_id(&id)
        .replica_region(ELSEWHERE);
    made.send().await.unwrap();
    bench.clock.forward_minutes(1);
    super::imports::put(&there, &id, first, None).await.unwrap();

    // It starts at the primary.
    let states = async |kms: &Client| super::imports::states(kms, &id).await;
    let new = super::imports::NEW;
    let refusal = super::imports::put(&there, &id, second, new.clone()).await;
    let message = format!(
        "{} is not a multi-region primary key.",
        arn_in(ELSEWHERE, &id)
    );
    refused(refusal, "UnsupportedOperationException", &message);
    super::imports::put(&bench.kms, &id, second, new)
        .await
        .unwrap();
    let waiting = ["CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"];
    assert_eq!(states(&bench.kms).await, waiting);
    assert_eq!(states(&there).await, waiting);
    let early = bench.kms.rotate_key_on_demand().key_id(&id).send().await;
    let message = format!(
        "No available key material pending rotation for the key: {}.",
        arn(&id)
    );
    refused(early, "KMSInvalidStateException", &message);
    super::imports::put(&there, &id, second, None)
        .await
        .unwrap();
    assert_eq!(states(&bench.kms).await, ["CURRENT", "PENDING_ROTATION"]);
    bench
        .kms
        .rotate_key_on_demand()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(states(&there).await, ["NON_CURRENT", "CURRENT"]);
    let blob = encrypt(&bench.kms, &id).await;
    assert_eq!(decrypt(&there, &blob).await, Some(Blob::new("text")));
}

#[tokio::test]
async fn asymmetric_keys_have_replicas_too() {
    let bench = Bench::new();
    let made = bench.kms.create_key().multi_region(true);
    let made = made
        .key_spec(KeySpec::EccNistP256)
        .key_usage(KeyUsageType::SignVerify);
    let id = made.send().await.unwrap().key_metadata.unwrap().key_id;
    let made = bench
        .kms
        .replicate_key()
        .key_id(&id)
        .replica_region(ELSEWHERE);
    made.send().await.unwrap();
    bench.clock.forward_minutes(1);
    let there = client(&bench.engine, ACCOUNT, ELSEWHERE);
    let public = async |kms: &Client, id: &str| {
        let got = kms.get_public_key().key_id(id).send().await;
        got.unwrap().public_key
    };
    assert_eq!(public(&there, &id).await, public(&bench.kms, &id).await);
    let other = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    assert_ne!(
        public(&bench.kms, &other).await,
        public(&bench.kms, &id).await
    );
}
