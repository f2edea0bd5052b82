//! Shared secrets: ECDH, and ML-KEM's encapsulation.

use crate::model::KeySpec;

use super::generate::Kind;
use super::ml_kem::{self, Encapsulated};
use super::{CryptoError, elliptic, sm2};

/// The secret that a key and a peer's public key have in common.
pub(crate) fn derive(spec: KeySpec, secret: &[u8], peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match Kind::of(spec) {
        Kind::Elliptic(curve) => elliptic::agree(curve, secret, peer),
        Kind::Sm2 => sm2::agree(secret, peer),
        Kind::Bytes(_) | Kind::Rsa(_) | Kind::Edwards | Kind::MlDsa(_) | Kind::MlKem(_) => {
            Err(CryptoError::Library)
        }
    }
}

/// Makes a shared secret with a public half.
pub(crate) fn encapsulate(spec: KeySpec, public: &[u8]) -> Result<Encapsulated, CryptoError> {
    ml_kem::encapsulate(set(spec)?, public)
}

/// Recovers a shared secret.
pub(crate) fn decapsulate(
    spec: KeySpec,
    secret: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    ml_kem::decapsulate(set(spec)?, secret, ciphertext)
}

fn set(spec: KeySpec) -> Result<ml_kem::Set, CryptoError> {
    match Kind::of(spec) {
        Kind::MlKem(set) => Ok(set),
        Kind::Bytes(_)
        | Kind::Rsa(_)
        | Kind::Elliptic(_)
        | Kind::Edwards
        | Kind::Sm2
        | Kind::MlDsa(_) => Err(CryptoError::Library),
    }
}
