//! New key material, and material that is brought along, for every key spec.

use aws_lc_rs::rsa::KeySize;

use crate::engine::entropy::Entropy;
use crate::model::KeySpec;

use super::elliptic::{self, Curve};
use super::{CryptoError, edwards, ml_dsa, ml_kem, rsa, sm2};

/// A key's secret, and its public half where it has one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Material {
    /// Raw bytes of symmetric and HMAC keys; PKCS #8 of all others.
    pub secret: Vec<u8>,
    /// The public half as a `SubjectPublicKeyInfo`.
    pub public: Option<Vec<u8>>,
}

/// What material of a key spec is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Random bytes of a length.
    Bytes(usize),
    Rsa(KeySize),
    Elliptic(Curve),
    Edwards,
    Sm2,
    MlDsa(ml_dsa::Set),
    MlKem(ml_kem::Set),
}

impl Kind {
    pub(super) fn of(spec: KeySpec) -> Self {
        match spec {
            KeySpec::SymmetricDefault | KeySpec::Hmac256 => Self::Bytes(32),
            KeySpec::Hmac224 => Self::Bytes(28),
            KeySpec::Hmac384 => Self::Bytes(48),
            KeySpec::Hmac512 => Self::Bytes(64),
            KeySpec::Rsa2048 => Self::Rsa(KeySize::Rsa2048),
            KeySpec::Rsa3072 => Self::Rsa(KeySize::Rsa3072),
            KeySpec::Rsa4096 => Self::Rsa(KeySize::Rsa4096),
            KeySpec::EccNistP256 => Self::Elliptic(Curve::P256),
            KeySpec::EccNistP384 => Self::Elliptic(Curve::P384),
            KeySpec::EccNistP521 => Self::Elliptic(Curve::P521),
            KeySpec::EccSecgP256k1 => Self::Elliptic(Curve::Secp256k1),
            KeySpec::EccNistEdwards25519 => Self::Edwards,
            KeySpec::Sm2 => Self::Sm2,
            KeySpec::MlDsa44 => Self::MlDsa(ml_dsa::Set::MlDsa44),
            KeySpec::MlDsa65 => Self::MlDsa(ml_dsa::Set::MlDsa65),
            KeySpec::MlDsa87 => Self::MlDsa(ml_dsa::Set::MlDsa87),
            KeySpec::MlKem512 => Self::MlKem(ml_kem::Set::MlKem512),
            KeySpec::MlKem768 => Self::MlKem(ml_kem::Set::MlKem768),
            KeySpec::MlKem1024 => Self::MlKem(ml_kem::Set::MlKem1024),
        }
    }
}

/// Makes the material of a new key.
pub(crate) fn generate(spec: KeySpec, entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    match Kind::of(spec) {
        Kind::Bytes(length) => random(length, entropy),
        Kind::Rsa(size) => rsa::generate(size),
        Kind::Elliptic(curve) => elliptic::generate(curve),
        Kind::Edwards => edwards::generate(),
        Kind::Sm2 => sm2::generate(entropy),
        Kind::MlDsa(set) => ml_dsa::generate(set),
        Kind::MlKem(set) => ml_kem::generate(set, entropy),
    }
}

/// Reads material for a key of a spec: raw bytes or a PKCS #8 private key.
pub(crate) fn import(spec: KeySpec, bytes: &[u8]) -> Result<Material, CryptoError> {
    match Kind::of(spec) {
        Kind::Bytes(length) if bytes.len() == length => Ok(Material {
            secret: bytes.to_vec(),
            public: None,
        }),
        Kind::Bytes(_) => Err(CryptoError::Library),
        Kind::Rsa(size) => rsa::import(size, bytes),
        Kind::Elliptic(curve) => elliptic::import(curve, bytes),
        Kind::Edwards => edwards::import(bytes),
        Kind::Sm2 => sm2::import(bytes),
        Kind::MlDsa(set) => ml_dsa::import(set, bytes),
        Kind::MlKem(set) => ml_kem::import(set, bytes),
    }
}

fn random(length: usize, entropy: &dyn Entropy) -> Result<Material, CryptoError> {
    let mut secret = vec![0; length];
    entropy.fill(&mut secret)?;
    Ok(Material {
        secret,
        public: None,
    })
}
