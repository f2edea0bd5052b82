//! `GenerateMac` and `VerifyMac`.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MacAlgorithmSpec as Algorithm};

use super::bench::{Bench, DRY_RUN, arn, key_of, refused};

const USAGE: KeyUsageType = KeyUsageType::GenerateVerifyMac;

#[tokio::test]
async fn every_mac_key_makes_codes_that_it_verifies() {
    for (spec, algorithm, length) in [
        (KeySpec::Hmac224, Algorithm::HmacSha224, 28),
        (KeySpec::Hmac256, Algorithm::HmacSha256, 32),
        (KeySpec::Hmac384, Algorithm::HmacSha384, 48),
        (KeySpec::Hmac512, Algorithm::HmacSha512, 64),
    ] {
        let bench = Bench::new();
        let id = key_of(&bench.kms, spec, USAGE).await;
        let make = || {
            let made = bench.kms.generate_mac().key_id(&id);
            made.message(Blob::new("text"))
                .mac_algorithm(algorithm.clone())
        };
        let made = make().send().await.unwrap();
        assert_eq!(made.key_id(), Some(&*arn(&id)));
        assert_eq!(made.mac_algorithm(), Some(&algorithm));
        let mac = made.mac.unwrap();
        assert_eq!(mac.as_ref().len(), length);
        refused(
            make().dry_run(true).send().await,
            "DryRunOperationException",
            DRY_RUN,
        );

        let verify = |message: &str| {
            let verified = bench.kms.verify_mac().key_id(&id).mac(mac.clone());
            verified
                .message(Blob::new(message))
                .mac_algorithm(algorithm.clone())
        };
        let verified = verify("text").send().await.unwrap();
        assert!(verified.mac_valid);
        assert_eq!(verified.key_id(), Some(&*arn(&id)));
        refused(verify("other").send().await, "KMSInvalidMacException", "");
        let dry = verify("text").dry_run(true).send().await;
        refused(dry, "DryRunOperationException", DRY_RUN);
    }
}

#[tokio::test]
async fn a_mac_key_has_one_algorithm() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::Hmac224, USAGE).await;
    let make = |id: &str, algorithm| {
        let made = bench.kms.generate_mac().key_id(id);
        made.message(Blob::new("text"))
            .mac_algorithm(algorithm)
            .send()
    };
    let code = "InvalidKeyUsageException";
    let message = "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.";
    refused(make(&id, Algorithm::HmacSha256).await, code, message);
    let message = "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: \
                   Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]";
    let invalid = make(&id, Algorithm::from("INVALID")).await;
    refused(invalid, "ValidationException", message);
    let symmetric = bench.key().await;
    let message = format!(
        "{} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac.",
        arn(&symmetric)
    );
    refused(
        make(&symmetric, Algorithm::HmacSha256).await,
        code,
        &message,
    );
    refused(
        make("key_id", Algorithm::HmacSha256).await,
        "NotFoundException",
        "Invalid keyId 'key_id'",
    );
}
