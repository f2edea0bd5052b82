//! Request quotas, as buckets that fill with time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::engine::store::keys::Key;
use crate::model::{KeySpec, Operation, Partition, Place};

/// How many quotas are kept; when more come, all start anew.
const MOST: usize = 16_384;

/// What shares a quota, in one account and Region; KMS Developer Guide, "Request quotas", 2026.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quota {
    /// Of one operation.
    Operation(Operation),
    /// Of all cryptographic operations with symmetric and HMAC keys, and random bytes.
    Symmetric,
    Rsa,
    EllipticCurves,
    MlDsa,
    MlKem,
    /// Of data key pairs of one spec.
    Pairs(String),
    /// Of all accounts that use one custom key store.
    KeyStore(String),
}

impl Quota {
    /// The quota that using a key's material counts against; of data key pairs, with the spec of the pair.
    pub(crate) fn of_use(key: &Key, operation: Operation, pair: Option<&str>) -> Self {
        let makes_pair = matches!(
            operation,
            Operation::GenerateDataKeyPair | Operation::GenerateDataKeyPairWithoutPlaintext
        );
        match key.kind.spec {
            KeySpec::SymmetricDefault if makes_pair => Self::Pairs(pair.unwrap_or_default().into()),
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Self::Symmetric,
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => Self::Rsa,
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1
            | KeySpec::EccNistEdwards25519
            | KeySpec::Sm2 => Self::EllipticCurves,
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => Self::MlDsa,
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => Self::MlKem,
        }
    }

    /// Requests a second.
    fn rate(&self, place: &Place) -> f64 {
        match self {
            Self::Operation(operation) => f64::from(operation.quota()),
            Self::Symmetric => symmetric(place.region.as_str()),
            // Of ML-KEM the guide says nothing yet.
            Self::Rsa | Self::EllipticCurves | Self::MlDsa | Self::MlKem => 1000.0,
            Self::Pairs(spec) => pairs(spec, place.partition() == Partition::AwsCn),
            Self::KeyStore(_) => 1800.0,
        }
    }
}

fn symmetric(region: &str) -> f64 {
    match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 100_000.0,
        "us-east-2" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1" | "eu-central-1"
        | "eu-west-2" => 20_000.0,
        _ => 10_000.0,
    }
}

fn pairs(spec: &str, is_china: bool) -> f64 {
    match (spec, is_china) {
        ("RSA_2048", false) => 20.0,
        ("RSA_3072", false) => 4.0,
        ("RSA_4096", false) | ("RSA_2048", true) => 1.0,
        ("RSA_3072", true) => 0.5,
        ("RSA_4096", true) => 0.1,
        ("SM2", _) => 25.0,
        _ => 100.0,
    }
}

/// What is left of quotas.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<BTreeMap<(Option<Place>, Quota), Bucket>>);

#[derive(Debug)]
struct Bucket {
    /// When it was looked at.
    at: Timestamp,
    /// How many requests it then had room for.
    left: f64,
}

impl Buckets {
    /// Takes requests from a part, in percent, of a quota; false where too little is left.
    pub(super) fn take(
        &self,
        place: &Place,
        (quota, count): (Quota, u32),
        percent: u32,
        now: Timestamp,
    ) -> bool {
        let rate = quota.rate(place) * f64::from(percent) / 100.0;
        let count = f64::from(count);
        // However slowly a bucket fills, there is room for one call in it.
        let most = rate.max(count);
        let is_everyones = matches!(quota, Quota::KeyStore(_));
        let owner = (!is_everyones).then(|| place.clone());
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.clear();
        }
        let bucket = buckets.entry((owner, quota)).or_insert(Bucket {
            at: now,
            left: most,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.left = (bucket.left + passed * rate).min(most);
        bucket.at = now;
        let is_there = bucket.left >= count;
        if is_there {
            bucket.left -= count;
        }
        is_there
    }
}
