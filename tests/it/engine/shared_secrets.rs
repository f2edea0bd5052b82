//! `DeriveSharedSecret`, `Encapsulate` and `Decapsulate`.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::decapsulate::builders::DecapsulateFluentBuilder;
use aws_sdk_kms::operation::derive_shared_secret::builders::DeriveSharedSecretFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeySpec, KeyUsageType, OriginType,
    RecipientInfo,
};

use super::bench::{ACCOUNT, Bench, DRY_RUN, arn, client, key_of, refused};

fn derive(kms: &Client, id: &str, peer: &[u8]) -> DeriveSharedSecretFluentBuilder {
    let derive = kms
        .derive_shared_secret()
        .key_id(id)
        .public_key(Blob::new(peer));
    derive.key_agreement_algorithm(KeyAgreementAlgorithmSpec::Ecdh)
}

async fn public(kms: &Client, id: &str) -> Vec<u8> {
    let got = kms.get_public_key().key_id(id).send().await.unwrap();
    got.public_key.unwrap().into_inner()
}

#[tokio::test]
async fn a_key_and_a_peer_outside_agree() {
    let bench = Bench::new();
    for (spec, algorithm) in [
        (KeySpec::EccNistP256, &ECDH_P256),
        (KeySpec::EccNistP384, &ECDH_P384),
        (KeySpec::EccNistP521, &ECDH_P521),
    ] {
        let id = key_of(&bench.kms, spec, KeyUsageType::KeyAgreement).await;
        let peer = PrivateKey::generate(algorithm).unwrap();
        let ours: PublicKeyX509Der<'_> = peer.compute_public_key().unwrap().as_der().unwrap();
        let derived = derive(&bench.kms, &id, ours.as_ref()).send().await.unwrap();
        assert_eq!(derived.key_id(), Some(&*arn(&id)));
        assert_eq!(derived.key_origin(), Some(&OriginType::AwsKms));
        let theirs = UnparsedPublicKey::new(algorithm, public(&bench.kms, &id).await);
        let shared = agreement::agree(&peer, theirs, (), |shared| Ok(shared.to_vec()));
        assert_eq!(derived.shared_secret.unwrap().into_inner(), shared.unwrap());
        // A bare point is no public key.
        let bare = derive(&bench.kms, &id, peer.compute_public_key().unwrap().as_ref());
        refused(bare.send().await, "ValidationException", "");
    }
}

#[tokio::test]
async fn two_sm2_keys_agree_in_china() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    let one = key_of(&china, KeySpec::Sm2, KeyUsageType::KeyAgreement).await;
    let two = key_of(&china, KeySpec::Sm2, KeyUsageType::KeyAgreement).await;
    let forth = derive(&china, &one, &public(&china, &two).await)
        .send()
        .await
        .unwrap();
    let back = derive(&china, &two, &public(&china, &one).await)
        .send()
        .await
        .unwrap();
    assert_eq!(forth.shared_secret().unwrap().as_ref().len(), 32);
    assert_eq!(forth.shared_secret, back.shared_secret);
}

#[tokio::test]
async fn peers_are_on_the_same_curve() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::KeyAgreement).await;
    let other = key_of(&bench.kms, KeySpec::EccNistP384, KeyUsageType::KeyAgreement).await;
    let peer = public(&bench.kms, &other).await;
    refused(
        derive(&bench.kms, &id, &peer).send().await,
        "ValidationException",
        "",
    );
    refused(
        derive(&bench.kms, &id, b"nonsense").send().await,
        "ValidationException",
        "",
    );
    let peer = public(&bench.kms, &id).await;
    let dry = derive(&bench.kms, &id, &peer).dry_run(true).send().await;
    refused(dry, "DryRunOperationException", DRY_RUN);
    let enclave = RecipientInfo::builder()
        .attestation_document(Blob::new("x"))
        .build();
    let attested = derive(&bench.kms, &id, &peer)
        .recipient(enclave)
        .send()
        .await;
    let message = "Recipient is not supported: this KMS attests no enclaves.";
    refused(attested, "UnsupportedOperationException", message);
    let algorithm = KeyAgreementAlgorithmSpec::from("INVALID");
    let invalid = derive(&bench.kms, &id, &peer).key_agreement_algorithm(algorithm);
    let message = "1 validation error detected: Value 'INVALID' at 'keyAgreementAlgorithm' failed to satisfy \
                   constraint: Member must satisfy enum value set: [ECDH]";
    refused(invalid.send().await, "ValidationException", message);
    let signer = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let message = format!(
        "{} key usage is SIGN_VERIFY which is not valid for DeriveSharedSecret.",
        arn(&signer)
    );
    let derived = derive(&bench.kms, &signer, &peer).send().await;
    refused(derived, "InvalidKeyUsageException", &message);
}

fn decapsulate(kms: &Client, id: &str, ciphertext: &[u8]) -> DecapsulateFluentBuilder {
    let decapsulate = kms.decapsulate().key_id(id);
    decapsulate
        .shared_secret_ciphertext_blob(Blob::new(ciphertext))
        .encapsulation_algorithm(EncapsulationAlgorithmSpec::MlKem)
}

#[tokio::test]
async fn what_is_encapsulated_is_decapsulated() {
    let bench = Bench::new();
    for (spec, length) in [
        (KeySpec::MlKem512, 768),
        (KeySpec::MlKem768, 1088),
        (KeySpec::MlKem1024, 1568),
    ] {
        let id = key_of(&bench.kms, spec, KeyUsageType::EncapsulateDecapsulate).await;
        let make = || {
            let make = bench.kms.encapsulate().key_id(&id);
            make.encapsulation_algorithm(EncapsulationAlgorithmSpec::MlKem)
        };
        let made = make().send().await.unwrap();
        assert_eq!(made.key_id(), Some(&*arn(&id)));
        let mut ciphertext = made.shared_secret_ciphertext_blob.unwrap().into_inner();
        assert_eq!(ciphertext.len(), length);
        let opened = decapsulate(&bench.kms, &id, &ciphertext)
            .send()
            .await
            .unwrap();
        assert_eq!(opened.shared_secret().unwrap().as_ref().len(), 32);
        assert_eq!(opened.shared_secret, made.shared_secret);

        // Another ciphertext of the length gives another secret, and one of another length gives none.
        ciphertext[0] ^= 1;
        let other = decapsulate(&bench.kms, &id, &ciphertext)
            .send()
            .await
            .unwrap();
        assert_eq!(other.shared_secret().unwrap().as_ref().len(), 32);
        assert_ne!(other.shared_secret, made.shared_secret);
        ciphertext.pop();
        let short = decapsulate(&bench.kms, &id, &ciphertext).send().await;
        refused(short, "InvalidCiphertextException", "");

        let code = "DryRunOperationException";
        refused(make().dry_run(true).send().await, code, DRY_RUN);
        ciphertext.push(0);
        let dry = decapsulate(&bench.kms, &id, &ciphertext).dry_run(true);
        refused(dry.send().await, code, DRY_RUN);
    }
}
