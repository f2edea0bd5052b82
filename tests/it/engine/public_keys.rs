//! `GetPublicKey`.

use aws_sdk_kms::types::{
    EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeySpec, KeyUsageType,
    SigningAlgorithmSpec,
};
use keywright::model::KeyType;

use super::bench::{ACCOUNT, Bench, arn, client, key_of, refused};

#[tokio::test]
async fn every_asymmetric_key_shows_its_public_half() {
    let bench = Bench::new();
    let china = client(&bench.engine, ACCOUNT, "cn-north-1");
    for kind in KeyType::all().filter(|kind| kind.is_asymmetric()) {
        // The two larger RSA sizes take seconds without telling more than the smallest.
        if matches!(kind.spec.as_str(), "RSA_3072" | "RSA_4096") {
            continue;
        }
        let in_china = kind.spec.as_str() == "SM2";
        let kms = if in_china { &china } else { &bench.kms };
        let (spec, usage) = (kind.spec.as_str().into(), kind.usage.as_str().into());
        let id = key_of(kms, spec, usage).await;
        let got = kms.get_public_key().key_id(&id).send().await.unwrap();
        assert_eq!(got.key_spec().unwrap().as_str(), kind.spec.as_str());
        assert_eq!(got.key_usage().unwrap().as_str(), kind.usage.as_str());
        let shown: Vec<&str> = [
            got.signing_algorithms()
                .iter()
                .map(SigningAlgorithmSpec::as_str)
                .collect::<Vec<_>>(),
            got.encryption_algorithms()
                .iter()
                .map(|one| one.as_str())
                .collect(),
            got.key_agreement_algorithms()
                .iter()
                .map(KeyAgreementAlgorithmSpec::as_str)
                .collect(),
            got.encapsulation_algorithms()
                .iter()
                .map(EncapsulationAlgorithmSpec::as_str)
                .collect(),
        ]
        .concat();
        assert_eq!(shown, kind.algorithms().names(), "{kind:?}");
        // A sequence of an algorithm, itself a sequence, and bits.
        assert_eq!(got.public_key().unwrap().as_ref()[0], 0x30);
    }
}

#[tokio::test]
async fn the_public_half_is_found_by_alias() {
    let bench = Bench::new();
    let id = key_of(&bench.kms, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let alias = bench
        .kms
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(&id);
    alias.send().await.unwrap();
    let got = bench
        .kms
        .get_public_key()
        .key_id("alias/a")
        .send()
        .await
        .unwrap();
    assert_eq!(got.key_id(), Some(&*arn(&id)));
}

#[tokio::test]
async fn keys_without_a_public_half_show_none() {
    let bench = Bench::new();
    let id = bench.key().await;
    let message = format!(
        "{} key spec is SYMMETRIC_DEFAULT which is not valid for GetPublicKey.",
        arn(&id)
    );
    let got = bench.kms.get_public_key().key_id(&id).send().await;
    refused(got, "UnsupportedOperationException", &message);
}
