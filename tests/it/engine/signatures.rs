//! `Sign` and `Verify`: every spec, algorithm and message type.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::operation::sign::builders::SignFluentBuilder;
use aws_sdk_kms::operation::verify::builders::VerifyFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec as Algorithm};
use ed25519_dalek::{Digest as _, Sha512, Signature, VerifyingKey};
use ml_dsa::{EncodedVerifyingKey, MlDsa65};
use sm3::Sm3;

use super::bench::{ACCOUNT, Bench, DRY_RUN, arn, client, key_of, refused};

const TEXT: &[u8] = b"a message";
const OTHER: &[u8] = b"another message";

/// A key for signing, and one way to sign with it.
struct Signer {
    kms: Client,
    id: String,
    algorithm: Algorithm,
}

impl Signer {
    async fn new(kms: &Client, spec: KeySpec, algorithm: Algorithm) -> Self {
        let id = key_of(kms, spec, KeyUsageType::SignVerify).await;
        Self {
            kms: kms.clone(),
            id,
            algorithm,
        }
    }

    fn sign(&self, kind: MessageType, message: &[u8]) -> SignFluentBuilder {
        let sign = self.kms.sign().key_id(&self.id).message_type(kind);
        sign.signing_algorithm(self.algorithm.clone())
            .message(Blob::new(message))
    }

    async fn signature(&self, kind: MessageType, message: &[u8]) -> Blob {
        let signed = self.sign(kind, message).send().await.unwrap();
        assert_eq!(signed.signing_algorithm(), Some(&self.algorithm));
        signed.signature.unwrap()
    }

    fn verify(&self, kind: MessageType, message: &[u8], signature: &Blob) -> VerifyFluentBuilder {
        let verify = self.kms.verify().key_id(&self.id).message_type(kind);
        verify
            .signing_algorithm(self.algorithm.clone())
            .message(Blob::new(message))
            .signature(signature.clone())
    }

    async fn verifies(&self, kind: MessageType, message: &[u8], signature: &Blob) -> bool {
        match self.verify(kind, message, signature).send().await {
            Ok(verified) => verified.signature_valid,
            Err(error) => {
                let code = error.code().map(str::to_owned);
                assert_eq!(
                    code.as_deref(),
                    Some("KMSInvalidSignatureException"),
                    "{error:?}"
                );
                false
            }
        }
    }

    async fn public(&self) -> Vec<u8> {
        let got = self.kms.get_public_key().key_id(&self.id).send().await;
        got.unwrap().public_key.unwrap().into_inner()
    }

    /// Signs in one way and verifies in all; other messages, and signatures with a flipped bit, are refused.
    async fn check(&self, as_signed: (MessageType, &[u8]), ways: &[(MessageType, &[u8])]) -> Blob {
        let (kind, message) = as_signed;
        let signature = self.signature(kind, message).await;
        for (kind, message) in ways {
            assert!(
                self.verifies(kind.clone(), message, &signature).await,
                "{:?}",
                self.algorithm
            );
        }
        let (kind, message) = ways.last().unwrap();
        let mut changed = message.to_vec();
        changed[0] ^= 1;
        assert!(!self.verifies(kind.clone(), &changed, &signature).await);
        let mut bytes = signature.clone().into_inner();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(
            !self
                .verifies(kind.clone(), message, &Blob::new(bytes))
                .await
        );
        signature
    }
}

/// What the public half says outside of the engine.
async fn verify_outside(
    signer: &Signer,
    algorithm: &'static dyn VerificationAlgorithm,
    message: &[u8],
    signature: &Blob,
) {
    let key = UnparsedPublicKey::new(algorithm, signer.public().await);
    key.verify(message, signature.as_ref()).unwrap();
}

fn hash(algorithm: &Algorithm, message: &[u8]) -> Vec<u8> {
    let hash = match algorithm.as_str().rsplit('_').next() {
        Some("256") => &SHA256,
        Some("384") => &SHA384,
        _ => &SHA512,
    };
    digest(hash, message).as_ref().to_vec()
}

/// RSA and ECDSA take messages and digests, and do not care which of them was signed.
async fn check_hashed(
    bench: &Bench,
    spec: KeySpec,
    algorithm: Algorithm,
    outside: &'static dyn VerificationAlgorithm,
) {
    let hashed = hash(&algorithm, TEXT);
    let signer = Signer::new(&bench.kms, spec, algorithm).await;
    let ways = [(MessageType::Raw, TEXT), (MessageType::Digest, &*hashed)];
    for way in &ways {
        let signature = signer.check(way.clone(), &ways).await;
        verify_outside(&signer, outside, TEXT, &signature).await;
    }
    let short = signer.sign(MessageType::Digest, &hashed[1..]).send().await;
    let message = format!(
        "Digest is invalid length for algorithm {}.",
        signer.algorithm
    );
    refused(short, "ValidationException", &message);
    let mu = signer.sign(MessageType::ExternalMu, &[0; 64]).send().await;
    let message = format!(
        "MessageType EXTERNAL_MU is not valid for algorithm {}.",
        signer.algorithm
    );
    refused(mu, "ValidationException", &message);
}

#[tokio::test]
async fn rsa_keys_sign_in_six_ways() {
    let bench = Bench::new();
    for (algorithm, outside) in [
        (Algorithm::RsassaPssSha256, &RSA_PSS_2048_8192_SHA256),
        (Algorithm::RsassaPssSha384, &RSA_PSS_2048_8192_SHA384),
        (Algorithm::RsassaPssSha512, &RSA_PSS_2048_8192_SHA512),
        (Algorithm::RsassaPkcs1V15Sha256, &RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::RsassaPkcs1V15Sha384, &RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::RsassaPkcs1V15Sha512, &RSA_PKCS1_2048_8192_SHA512),
    ] {
        check_hashed(&bench, KeySpec::Rsa2048, algorithm, outside).await;
    }
}

#[tokio::test]
async fn elliptic_keys_sign_in_the_one_way_of_their_curve() {
    let bench = Bench::new();
    for (spec, algorithm, outside) in [
        (
            KeySpec::EccNistP256,
            Algorithm::EcdsaSha256,
            &ECDSA_P256_SHA256_ASN1,
        ),
        (
            KeySpec::EccNistP384,
            Algorithm::EcdsaSha384,
            &ECDSA_P384_SHA384_ASN1,
        ),
        (
            KeySpec::EccNistP521,
            Algorithm::EcdsaSha512,
            &ECDSA_P521_SHA512_ASN1,
        ),
        (
            KeySpec::EccSecgP256K1,
            Algorithm::EcdsaSha256,
            &ECDSA_P256K1_SHA256_ASN1,
        ),
    ] {
        check_hashed(&bench, spec, algorithm, outside).await;
    }
}

#[tokio::test]
async fn edwards_keys_sign_messages_in_one_way_and_digests_in_another() {
    let bench = Bench::new();
    let pure = Signer::new(
        &bench.kms,
        KeySpec::EccNistEdwards25519,
        Algorithm::Ed25519Sha512,
    )
    .await;
    let way = (MessageType::Raw, TEXT);
    let signature = pure.check(way.clone(), &[way]).await;
    verify_outside(&pure, &ED25519, TEXT, &signature).await;
    let message = "MessageType DIGEST is not valid for algorithm ED25519_SHA_512.";
    let digested = pure.sign(MessageType::Digest, &[0; 64]).send().await;
    refused(digested, "ValidationException", message);

    let prehashed = Signer {
        algorithm: Algorithm::Ed25519PhSha512,
        ..pure
    };
    let hashed = hash(&prehashed.algorithm, TEXT);
    let way = (MessageType::Digest, &*hashed);
    let signature = prehashed.check(way.clone(), &[way]).await;
    // KMS hashes the digest once more; API reference, `Sign`.
    let key = VerifyingKey::from_bytes(prehashed.public().await.last_chunk().unwrap()).unwrap();
    let signature = Signature::from_slice(signature.as_ref()).unwrap();
    let twice = Sha512::new_with_prefix(&hashed);
    key.verify_prehashed(twice, None, &signature).unwrap();
    let message = "MessageType RAW is not valid for algorithm ED25519_PH_SHA_512.";
    let raw = prehashed.sign(MessageType::Raw, TEXT).send().await;
    refused(raw, "ValidationException", message);
}

#[tokio::test]
async fn lattice_keys_sign_messages_and_their_representatives() {
    let bench = Bench::new();
    for (spec, outside) in [
        (KeySpec::MlDsa44, &ML_DSA_44),
        (KeySpec::MlDsa65, &ML_DSA_65),
        (KeySpec::MlDsa87, &ML_DSA_87),
    ] {
        let signer = Signer::new(&bench.kms, spec, Algorithm::MlDsaShake256).await;
        let way = (MessageType::Raw, TEXT);
        let signature = signer.check(way.clone(), &[way]).await;
        verify_outside(&signer, outside, TEXT, &signature).await;
        let way: (_, &[u8]) = (MessageType::ExternalMu, &[7; 64]);
        signer.check(way.clone(), &[way]).await;
        let short = signer.sign(MessageType::ExternalMu, &[7; 63]).send().await;
        let message = "Digest is invalid length for algorithm ML_DSA_SHAKE_256.";
        refused(short, "ValidationException", message);
        let digested = signer.sign(MessageType::Digest, &[0; 32]).send().await;
        let message = "MessageType DIGEST is not valid for algorithm ML_DSA_SHAKE_256.";
        refused(digested, "ValidationException", message);
    }
}

#[tokio::test]
async fn a_representative_stands_for_its_message() {
    let bench = Bench::new();
    let signer = Signer::new(&bench.kms, KeySpec::MlDsa65, Algorithm::MlDsaShake256).await;
    let public = signer.public().await;
    let encoded = public.last_chunk::<1952>().unwrap();
    let key = ml_dsa::VerifyingKey::<MlDsa65>::decode(
        &EncodedVerifyingKey::<MlDsa65>::try_from(&encoded[..]).unwrap(),
    );
    let absorb = |shake: &mut _| {
        sm3::digest::Update::update(shake, TEXT);
        Ok(())
    };
    let mu = key.compute_mu(absorb, &[]).unwrap();
    let ways: [(_, &[u8]); 2] = [(MessageType::Raw, TEXT), (MessageType::ExternalMu, &mu)];
    for way in &ways {
        signer.check(way.clone(), &ways).await;
    }
}

#[tokio::test]
async fn sm2_keys_sign_in_china() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    let signer = Signer::new(&china, KeySpec::Sm2, Algorithm::Sm2Dsa).await;
    let point = *signer.public().await.last_chunk::<64>().unwrap();
    let curve = "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc\
                 28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93\
                 32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
                 bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0";
    let curve: Vec<u8> = (0..curve.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&curve[at..at + 2], 16).unwrap())
        .collect();
    // The digest has the signer's id, its length in bits, the curve and the public key in front.
    let front = Sm3::new()
        .chain_update([0, 128])
        .chain_update("1234567812345678")
        .chain_update(curve)
        .chain_update(point)
        .finalize();
    let hashed = Sm3::new().chain_update(front).chain_update(TEXT).finalize();
    let ways: [(_, &[u8]); 2] = [(MessageType::Raw, TEXT), (MessageType::Digest, &hashed)];
    for way in &ways {
        signer.check(way.clone(), &ways).await;
    }
}

#[tokio::test]
async fn messages_are_raw_when_nothing_else_is_said() {
    let bench = Bench::new();
    let signer = Signer::new(&bench.kms, KeySpec::EccNistP256, Algorithm::EcdsaSha256).await;
    let signed = bench.kms.sign().key_id(&signer.id).message(Blob::new(TEXT));
    let signed = signed
        .signing_algorithm(Algorithm::EcdsaSha256)
        .send()
        .await
        .unwrap();
    assert_eq!(signed.key_id(), Some(&*arn(&signer.id)));
    let signature = signed.signature.unwrap();
    assert!(signer.verifies(MessageType::Raw, TEXT, &signature).await);
    assert!(!signer.verifies(MessageType::Raw, OTHER, &signature).await);
}

#[tokio::test]
async fn keys_for_other_uses_do_not_sign() {
    let bench = Bench::new();
    let mac = key_of(
        &bench.kms,
        KeySpec::Hmac256,
        KeyUsageType::GenerateVerifyMac,
    )
    .await;
    let symmetric = bench.key().await;
    let elliptic = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let signer = |id: &str, algorithm| Signer {
        kms: bench.kms.clone(),
        id: id.to_owned(),
        algorithm,
    };
    let code = "InvalidKeyUsageException";
    let message = format!(
        "{} key usage is GENERATE_VERIFY_MAC which is not valid for Sign.",
        arn(&mac)
    );
    let signed = signer(&mac, Algorithm::EcdsaSha256).sign(MessageType::Raw, TEXT);
    refused(signed.send().await, code, &message);
    let message = format!(
        "{} key usage is ENCRYPT_DECRYPT which is not valid for Verify.",
        arn(&symmetric)
    );
    let verified = signer(&symmetric, Algorithm::EcdsaSha256);
    let verified = verified.verify(MessageType::Raw, TEXT, &Blob::new("x"));
    refused(verified.send().await, code, &message);
    let message = "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.";
    let signed = signer(&elliptic, Algorithm::EcdsaSha384).sign(MessageType::Raw, TEXT);
    refused(signed.send().await, code, message);
}

#[tokio::test]
async fn dry_runs_sign_and_verify_nothing() {
    let bench = Bench::new();
    let signer = Signer::new(&bench.kms, KeySpec::EccNistP256, Algorithm::EcdsaSha256).await;
    let code = "DryRunOperationException";
    let signed = signer.sign(MessageType::Raw, TEXT).dry_run(true);
    refused(signed.send().await, code, DRY_RUN);
    let verified = signer
        .verify(MessageType::Raw, TEXT, &Blob::new("x"))
        .dry_run(true);
    refused(verified.send().await, code, DRY_RUN);
}
