//! `GenerateDataKeyPair`, with and without the plaintext.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::PrivateDecryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::generate_data_key_pair::GenerateDataKeyPairOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeyPairSpec as Spec, KeySpec, KeyUsageType, RecipientInfo};
use ml_kem::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};

use super::bench::{ACCOUNT, Bench, DRY_RUN, arn, client, key_of, refused};

/// Makes a pair, and checks that its sealed form opens to the same private key.
async fn pair(kms: &Client, id: &str, spec: Spec) -> GenerateDataKeyPairOutput {
    let made = kms
        .generate_data_key_pair()
        .key_id(id)
        .key_pair_spec(spec.clone());
    let made = made.encryption_context("a", "1").send().await.unwrap();
    assert_eq!(made.key_pair_spec(), Some(&spec));
    let opened = kms.decrypt().encryption_context("a", "1");
    let sealed = made.private_key_ciphertext_blob().unwrap().clone();
    let opened = opened.ciphertext_blob(sealed).send().await.unwrap();
    assert_eq!(opened.plaintext(), made.private_key_plaintext());
    assert_eq!(opened.key_material_id(), made.key_material_id());
    made
}

fn bytes(blob: Option<&Blob>) -> &[u8] {
    blob.unwrap().as_ref()
}

#[tokio::test]
async fn elliptic_pairs_belong_together() {
    let bench = Bench::new();
    let id = bench.key().await;
    for (spec, algorithm) in [
        (Spec::EccNistP256, &ECDSA_P256_SHA256_ASN1_SIGNING),
        (Spec::EccNistP384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        (Spec::EccNistP521, &ECDSA_P521_SHA512_ASN1_SIGNING),
        (Spec::EccSecgP256K1, &ECDSA_P256K1_SHA256_ASN1_SIGNING),
    ] {
        let made = pair(&bench.kms, &id, spec).await;
        assert_eq!(made.key_id(), Some(&*arn(&id)));
        let private = bytes(made.private_key_plaintext());
        let key = EcdsaKeyPair::from_pkcs8(algorithm, private).unwrap();
        let signature = key.sign(&SystemRandom::new(), b"text").unwrap();
        let public = UnparsedPublicKey::new(&**algorithm, bytes(made.public_key()));
        public.verify(b"text", signature.as_ref()).unwrap();
    }
    let made = pair(&bench.kms, &id, Spec::EccNistEdwards25519).await;
    let key = Ed25519KeyPair::from_pkcs8(bytes(made.private_key_plaintext())).unwrap();
    let public = key.public_key().as_der().unwrap();
    assert_eq!(public.as_ref(), bytes(made.public_key()));
}

#[tokio::test]
async fn rsa_pairs_belong_together() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = pair(&bench.kms, &id, Spec::Rsa2048).await;
    let key = PrivateDecryptingKey::from_pkcs8(bytes(made.private_key_plaintext())).unwrap();
    assert_eq!(key.key_size_bits(), 2048);
    let public = key.public_key().as_der().unwrap();
    assert_eq!(public.as_ref(), bytes(made.public_key()));
}

#[tokio::test]
async fn lattice_pairs_belong_together_and_their_private_keys_are_seeds() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = pair(&bench.kms, &id, Spec::MlKem768).await;
    let private = bytes(made.private_key_plaintext());
    assert_eq!(private.len(), 86);
    let key = ml_kem::DecapsulationKey768::from_pkcs8_der(private).unwrap();
    let public = key.encapsulation_key().to_public_key_der().unwrap();
    assert_eq!(public.as_bytes(), bytes(made.public_key()));
    for spec in [Spec::MlKem512, Spec::MlKem1024] {
        let made = pair(&bench.kms, &id, spec).await;
        assert_eq!(bytes(made.private_key_plaintext()).len(), private.len());
    }
}

#[tokio::test]
async fn sm2_pairs_are_for_china() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    let made = china.create_key().send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let made = pair(&china, &id, Spec::Sm2).await;
    let key = sm2::SecretKey::from_pkcs8_der(bytes(made.private_key_plaintext())).unwrap();
    let public = key.public_key().to_public_key_der().unwrap();
    assert_eq!(public.as_bytes(), bytes(made.public_key()));

    let id = bench.key().await;
    let made = bench
        .kms
        .generate_data_key_pair()
        .key_id(&id)
        .key_pair_spec(Spec::Sm2);
    let message = "KeySpec SM2 is not supported in this Region.";
    refused(made.send().await, "UnsupportedOperationException", message);
}

#[tokio::test]
async fn the_plaintext_can_be_left_out() {
    let bench = Bench::new();
    let id = bench.key().await;
    let made = bench
        .kms
        .generate_data_key_pair_without_plaintext()
        .key_id(&id);
    let made = made.key_pair_spec(Spec::EccNistP256);
    let output = made.clone().send().await.unwrap();
    let opened = bench
        .kms
        .decrypt()
        .ciphertext_blob(output.private_key_ciphertext_blob.unwrap());
    let private = opened.send().await.unwrap().plaintext.unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, private.as_ref()).unwrap();
    let public = key.public_key().as_der().unwrap();
    assert_eq!(public.as_ref(), bytes(output.public_key.as_ref()));

    let code = "DryRunOperationException";
    refused(made.dry_run(true).send().await, code, DRY_RUN);
    let made = bench
        .kms
        .generate_data_key_pair()
        .key_id(&id)
        .key_pair_spec(Spec::Rsa2048);
    refused(made.dry_run(true).send().await, code, DRY_RUN);
}

#[tokio::test]
async fn pairs_are_sealed_by_symmetric_keys_and_not_for_enclaves() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let make = |id: &str| {
        let made = bench.kms.generate_data_key_pair().key_id(id);
        made.key_pair_spec(Spec::EccNistP256)
    };
    let message = format!(
        "{} key usage is SIGN_VERIFY which is not valid for GenerateDataKeyPair.",
        arn(&id)
    );
    refused(make(&id).send().await, "InvalidKeyUsageException", &message);
    let enclave = RecipientInfo::builder()
        .attestation_document(Blob::new("x"))
        .build();
    let message = "Recipient is not supported: this KMS attests no enclaves.";
    let attested = make(&bench.key().await).recipient(enclave).send().await;
    refused(attested, "UnsupportedOperationException", message);
}
