//! `ReEncrypt`, and dry runs without a ciphertext.

use aws_sdk_kms::operation::re_encrypt::builders::ReEncryptFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    DryRunModifierType, EncryptionAlgorithmSpec as Algorithm, KeyLastUsageTrackingOperation,
    KeySpec, KeyUsageType,
};

use super::bench::{Bench, DRY_RUN, arn, key_of, refused};

async fn sealed(bench: &Bench, id: &str) -> Blob {
    let made = bench.kms.encrypt().key_id(id).plaintext(Blob::new("text"));
    let made = made.encryption_context("a", "1").send().await.unwrap();
    made.ciphertext_blob.unwrap()
}

fn move_to(bench: &Bench, blob: &Blob, id: &str) -> ReEncryptFluentBuilder {
    let moved = bench.kms.re_encrypt().ciphertext_blob(blob.clone());
    moved
        .source_encryption_context("a", "1")
        .destination_key_id(id)
}

#[tokio::test]
async fn a_ciphertext_moves_to_another_key_and_context() {
    let bench = Bench::new();
    let (from, to) = (bench.key().await, bench.key().await);
    let blob = sealed(&bench, &from).await;
    let moved = move_to(&bench, &blob, &to)
        .destination_encryption_context("b", "2")
        .send()
        .await
        .unwrap();
    assert_eq!(moved.source_key_id(), Some(&*arn(&from)));
    assert_eq!(moved.key_id(), Some(&*arn(&to)));
    assert_eq!(
        moved.source_encryption_algorithm(),
        Some(&Algorithm::SymmetricDefault)
    );
    assert_eq!(
        moved.destination_encryption_algorithm(),
        Some(&Algorithm::SymmetricDefault)
    );
    assert_ne!(
        moved.source_key_material_id,
        moved.destination_key_material_id
    );
    let opened = bench.kms.decrypt().key_id(&to).encryption_context("b", "2");
    let opened = opened
        .ciphertext_blob(moved.ciphertext_blob.unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext, Some(Blob::new("text")));
    assert_eq!(opened.key_material_id, moved.destination_key_material_id);
    for id in [&from, &to] {
        let used = bench
            .kms
            .get_key_last_usage()
            .key_id(id)
            .send()
            .await
            .unwrap();
        let operation = used.key_last_usage.unwrap().operation;
        let expected = if *id == from {
            KeyLastUsageTrackingOperation::Encrypt
        } else {
            KeyLastUsageTrackingOperation::ReEncrypt
        };
        assert_eq!(operation, Some(expected));
    }
}

#[tokio::test]
async fn ciphertexts_move_to_and_from_rsa_keys() {
    let bench = Bench::new();
    let symmetric = bench.key().await;
    let rsa = key_of(&bench.kms, KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let blob = sealed(&bench, &symmetric).await;
    let there = move_to(&bench, &blob, &rsa)
        .destination_encryption_algorithm(Algorithm::RsaesOaepSha256)
        .send()
        .await
        .unwrap();
    assert_eq!(there.destination_key_material_id, None);
    let back = bench
        .kms
        .re_encrypt()
        .ciphertext_blob(there.ciphertext_blob.unwrap());
    let back = back
        .source_key_id(&rsa)
        .source_encryption_algorithm(Algorithm::RsaesOaepSha256)
        .destination_key_id(&symmetric)
        .send()
        .await
        .unwrap();
    assert_eq!(back.source_key_material_id, None);
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(back.ciphertext_blob.unwrap());
    assert_eq!(
        opened.send().await.unwrap().plaintext,
        Some(Blob::new("text"))
    );
}

#[tokio::test]
async fn both_keys_must_be_the_right_ones() {
    let bench = Bench::new();
    let (from, to) = (bench.key().await, bench.key().await);
    let blob = sealed(&bench, &from).await;
    let wrong = move_to(&bench, &blob, &to).source_key_id(&to).send().await;
    let message =
        "The key ID in the request does not identify a CMK that can perform this operation.";
    refused(wrong, "IncorrectKeyException", message);
    let signer = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let message = format!(
        "{} key usage is SIGN_VERIFY which is not valid for ReEncryptTo.",
        arn(&signer)
    );
    let wrong = move_to(&bench, &blob, &signer).send().await;
    refused(wrong, "InvalidKeyUsageException", &message);
    let other = move_to(&bench, &blob, &to).source_encryption_context("b", "2");
    refused(other.send().await, "InvalidCiphertextException", "");
    let dry = move_to(&bench, &blob, &to).dry_run(true);
    refused(dry.send().await, "DryRunOperationException", DRY_RUN);
}

#[tokio::test]
async fn a_dry_run_can_do_without_a_ciphertext() {
    let bench = Bench::new();
    let (from, to) = (bench.key().await, bench.key().await);
    let ignore = DryRunModifierType::IgnoreCiphertext;
    let opened = || bench.kms.decrypt().dry_run_modifiers(ignore.clone());
    let code = "DryRunOperationException";
    let dry = opened().key_id(&from).dry_run(true).send().await;
    refused(dry, code, DRY_RUN);
    let message = "DryRunModifiers can be specified only when DryRun is true.";
    let wet = opened().key_id(&from).send().await;
    refused(wet, "ValidationException", message);
    let message = "You must specify a key when DryRunModifiers has IGNORE_CIPHERTEXT.";
    let keyless = opened().dry_run(true).send().await;
    refused(keyless, "ValidationException", message);

    let moved = bench
        .kms
        .re_encrypt()
        .source_key_id(&from)
        .destination_key_id(&to);
    let dry = moved.dry_run(true).dry_run_modifiers(ignore).send().await;
    refused(dry, code, DRY_RUN);
}
