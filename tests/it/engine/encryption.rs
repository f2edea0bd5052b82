//! `Encrypt`, `Decrypt`, `GenerateDataKey`, and the last use of a key.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    DataKeySpec, EncryptionAlgorithmSpec as Algorithm, KeyLastUsageTrackingOperation, KeySpec,
    KeyUsageType,
};

use super::bench::{ACCOUNT, Bench, arn, client, key_of, refused};

async fn sealed(bench: &Bench, id: &str) -> Blob {
    let made = bench.kms.encrypt().key_id(id).plaintext(Blob::new("text"));
    made.send().await.unwrap().ciphertext_blob.unwrap()
}

#[tokio::test]
async fn symmetric_ciphertexts_open_with_their_context_and_without_a_key_id() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = bench
        .kms
        .encrypt()
        .key_id(&id)
        .plaintext(Blob::new("text"))
        .encryption_context("b", "2")
        .encryption_context("a", "1");
    let made = made.send().await.unwrap();
    assert_eq!(made.key_id(), Some(&*arn(&id)));
    assert_eq!(
        made.encryption_algorithm(),
        Some(&Algorithm::SymmetricDefault)
    );
    let open = || {
        bench
            .kms
            .decrypt()
            .ciphertext_blob(made.ciphertext_blob.clone().unwrap())
    };
    let opened = open()
        .encryption_context("a", "1")
        .encryption_context("b", "2");
    let opened = opened.send().await.unwrap();
    assert_eq!(opened.plaintext(), Some(&Blob::new("text")));
    assert_eq!(opened.key_id(), Some(&*arn(&id)));
    assert_eq!(opened.key_material_id().unwrap().len(), 64);

    let code = "InvalidCiphertextException";
    refused(open().send().await, code, "");
    refused(open().encryption_context("a", "1").send().await, code, "");
    let swapped = open()
        .encryption_context("a", "2")
        .encryption_context("b", "1");
    refused(swapped.send().await, code, "");
}

#[tokio::test]
async fn tampered_ciphertexts_do_not_open() {
    let bench = Bench::new();
    let id = bench.key().await;
    let mut bytes = sealed(&bench, &id).await.into_inner();
    *bytes.last_mut().unwrap() ^= 1;
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(Blob::new(bytes))
        .send()
        .await;
    refused(opened, "InvalidCiphertextException", "");
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(Blob::new("nonsense"))
        .send()
        .await;
    refused(opened, "InvalidCiphertextException", "");
}

#[tokio::test]
async fn a_named_key_must_be_the_one_that_encrypted() {
    let bench = Bench::new();
    let id = bench.key().await;
    let blob = sealed(&bench, &id).await;
    let hmac = key_of(
        &bench.kms,
        KeySpec::Hmac256,
        KeyUsageType::GenerateVerifyMac,
    )
    .await;
    let message =
        "The key ID in the request does not identify a CMK that can perform this operation.";
    for other in [bench.key().await, hmac] {
        let opened = bench
            .kms
            .decrypt()
            .key_id(other)
            .ciphertext_blob(blob.clone());
        refused(opened.send().await, "IncorrectKeyException", message);
    }
    let opened = bench.kms.decrypt().key_id(id).ciphertext_blob(blob.clone());
    opened.send().await.unwrap();
    let elsewhere = client(&bench.engine, ACCOUNT, "us-east-1");
    let opened = elsewhere.decrypt().ciphertext_blob(blob).send().await;
    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, \
                   or you are not allowed to access.";
    refused(opened, "AccessDeniedException", message);
}

#[tokio::test]
async fn keys_that_are_off_do_not_decrypt() {
    let bench = Bench::new();
    let id = bench.key().await;
    let blob = sealed(&bench, &id).await;
    let open = || bench.kms.decrypt().ciphertext_blob(blob.clone()).send();
    bench.kms.disable_key().key_id(&id).send().await.unwrap();
    let message = format!("{} is disabled.", arn(&id));
    refused(open().await, "DisabledException", &message);
    bench
        .kms
        .schedule_key_deletion()
        .key_id(&id)
        .send()
        .await
        .unwrap();
    let message = format!("{} is pending deletion.", arn(&id));
    refused(open().await, "KMSInvalidStateException", &message);
}

#[tokio::test]
async fn rsa_keys_encrypt_with_both_paddings_up_to_their_capacity() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    for (algorithm, most) in [
        (Algorithm::RsaesOaepSha1, 214),
        (Algorithm::RsaesOaepSha256, 190),
    ] {
        let encrypt = |length| {
            let made = bench
                .kms
                .encrypt()
                .key_id(&id)
                .plaintext(Blob::new(vec![7; length]));
            made.encryption_algorithm(algorithm.clone()).send()
        };
        let blob = encrypt(most).await.unwrap().ciphertext_blob.unwrap();
        let opened = bench.kms.decrypt().key_id(&id).ciphertext_blob(blob);
        let opened = opened
            .encryption_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(opened.plaintext, Some(Blob::new(vec![7; most])));
        let message = format!(
            "Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {most} bytes."
        );
        refused(encrypt(most + 1).await, "ValidationException", &message);
    }
    let plain = bench
        .kms
        .encrypt()
        .key_id(&id)
        .plaintext(Blob::new("text"))
        .send()
        .await;
    let message = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
    refused(plain, "InvalidKeyUsageException", message);
}

#[tokio::test]
async fn sm2_keys_encrypt_in_china() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    let id = key_of(&china, KeySpec::Sm2, KeyUsageType::EncryptDecrypt).await;
    let made = china.encrypt().key_id(&id).plaintext(Blob::new("text"));
    let made = made
        .encryption_algorithm(Algorithm::Sm2Pke)
        .send()
        .await
        .unwrap();
    assert_eq!(
        made.key_id().unwrap(),
        format!("arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/{id}")
    );
    let open = |bytes: Vec<u8>| {
        let opened = china
            .decrypt()
            .key_id(&id)
            .ciphertext_blob(Blob::new(bytes));
        opened.encryption_algorithm(Algorithm::Sm2Pke).send()
    };
    let mut bytes = made.ciphertext_blob.unwrap().into_inner();
    assert_eq!(
        open(bytes.clone()).await.unwrap().plaintext,
        Some(Blob::new("text"))
    );
    *bytes.last_mut().unwrap() ^= 1;
    refused(open(bytes).await, "InvalidCiphertextException", "");
}

#[tokio::test]
async fn keys_for_other_uses_do_not_encrypt() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let made = bench
        .kms
        .encrypt()
        .key_id(&id)
        .plaintext(Blob::new("text"))
        .send()
        .await;
    let message = format!(
        "{} key usage is SIGN_VERIFY which is not valid for Encrypt.",
        arn(&id)
    );
    refused(made, "InvalidKeyUsageException", &message);
    let made = bench
        .kms
        .generate_data_key()
        .key_id(&id)
        .number_of_bytes(16)
        .send()
        .await;
    let message = format!(
        "{} key usage is SIGN_VERIFY which is not valid for GenerateDataKey.",
        arn(&id)
    );
    refused(made, "InvalidKeyUsageException", &message);
}

#[tokio::test]
async fn plaintexts_have_a_length_and_are_not_repeated() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = bench
        .kms
        .encrypt()
        .key_id(id)
        .plaintext(Blob::new(vec![0; 4097]))
        .send()
        .await;
    let message = "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have \
                   length less than or equal to 4096";
    refused(made, "ValidationException", message);
}

#[tokio::test]
async fn data_keys_open_again() {
    let bench = Bench::new();
    let id = bench.key().await;
    let make = || bench.kms.generate_data_key().key_id(&id);
    let made = make()
        .key_spec(DataKeySpec::Aes256)
        .encryption_context("a", "1");
    let made = made.send().await.unwrap();
    assert_eq!(made.plaintext().unwrap().as_ref().len(), 32);
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(made.ciphertext_blob.unwrap());
    let opened = opened.encryption_context("a", "1").send().await.unwrap();
    assert_eq!(opened.plaintext, made.plaintext);
    assert_eq!(opened.key_material_id, made.key_material_id);

    let hidden = bench.kms.generate_data_key_without_plaintext().key_id(&id);
    let hidden = hidden.number_of_bytes(64).send().await.unwrap();
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(hidden.ciphertext_blob.unwrap());
    assert_eq!(
        opened
            .send()
            .await
            .unwrap()
            .plaintext
            .unwrap()
            .as_ref()
            .len(),
        64
    );

    let message = "Please specify either number of bytes or key spec.";
    refused(make().send().await, "ValidationException", message);
    let both = make().key_spec(DataKeySpec::Aes128).number_of_bytes(1);
    refused(both.send().await, "ValidationException", message);
}

#[tokio::test]
async fn dry_runs_encrypt_nothing() {
    let bench = Bench::new();
    let id = bench.key().await;
    let message = "The request would have succeeded, but the DryRun option is set.";
    let made = bench
        .kms
        .encrypt()
        .key_id(&id)
        .plaintext(Blob::new("text"))
        .dry_run(true);
    refused(made.send().await, "DryRunOperationException", message);
    let made = bench
        .kms
        .generate_data_key()
        .key_id(&id)
        .number_of_bytes(1)
        .dry_run(true);
    refused(made.send().await, "DryRunOperationException", message);
}

#[tokio::test]
async fn the_last_use_is_known_to_the_hour() {
    let bench = Bench::new();
    let id = bench.key().await;
    let usage = || bench.kms.get_key_last_usage().key_id(&id).send();
    let unused = usage().await.unwrap();
    assert_eq!(unused.key_id(), Some(&*id));
    assert_eq!(unused.key_last_usage().unwrap().operation(), None);
    assert_eq!(unused.key_creation_date().unwrap().secs(), 1_780_000_000);
    let blob = sealed(&bench, &id).await;
    let open = || bench.kms.decrypt().ciphertext_blob(blob.clone()).send();
    bench.clock.forward_minutes(59);
    open().await.unwrap();
    let used = usage().await.unwrap().key_last_usage.unwrap();
    assert_eq!(
        used.operation(),
        Some(&KeyLastUsageTrackingOperation::Encrypt)
    );
    assert_eq!(used.timestamp().unwrap().secs(), 1_780_000_000);
    bench.clock.forward_minutes(1);
    open().await.unwrap();
    let used = usage().await.unwrap().key_last_usage.unwrap();
    assert_eq!(
        used.operation(),
        Some(&KeyLastUsageTrackingOperation::Decrypt)
    );
    assert_eq!(used.timestamp().unwrap().secs(), 1_780_003_600);
}
