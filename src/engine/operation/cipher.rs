//! What encrypting operations share: algorithms, encryption contexts, and a key's secrets.

use std::fmt;

use rusqlite::Connection;

use crate::engine::crypto::{CryptoError, Padding};
use crate::engine::store::keys::Key;
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::wire::{Check, Code, Failure};
use crate::model::{Algorithms, KeySpec, KeyUsage, Operation};

use super::Context;

/// An encryption algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Symmetric,
    Rsa(Padding),
    Sm2,
}

impl Algorithm {
    const ALL: &'static [Self] = &[
        Self::Symmetric,
        Self::Rsa(Padding::Sha1),
        Self::Rsa(Padding::Sha256),
        Self::Sm2,
    ];

    /// AWS's spelling.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Symmetric => "SYMMETRIC_DEFAULT",
            Self::Rsa(Padding::Sha1) => "RSAES_OAEP_SHA_1",
            Self::Rsa(Padding::Sha256) => "RSAES_OAEP_SHA_256",
            Self::Sm2 => "SM2PKE",
        }
    }

    /// Reads the member `EncryptionAlgorithm`, whose default is symmetric.
    pub(super) fn check(check: &mut Check, value: Option<&str>) -> Self {
        check
            .choice("encryptionAlgorithm", value, Self::ALL)
            .unwrap_or(Self::Symmetric)
    }

    /// The longest plaintext in bytes; KMS API reference, `Encrypt`.
    pub(super) fn capacity(self, spec: KeySpec) -> usize {
        let modulus = if spec == KeySpec::Rsa2048 {
            256
        } else if spec == KeySpec::Rsa3072 {
            384
        } else {
            512
        };
        match self {
            Self::Symmetric => 4096,
            Self::Rsa(Padding::Sha1) => modulus - 42,
            Self::Rsa(Padding::Sha256) => modulus - 66,
            Self::Sm2 => 1024,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Checks that a key is for encryption, and with this algorithm.
pub(super) fn check_key(
    key: &Key,
    algorithm: Algorithm,
    operation: Operation,
) -> Result<(), Failure> {
    if key.kind.usage != KeyUsage::EncryptDecrypt {
        return Err(Failure::new(
            Code::InvalidKeyUsage,
            format!(
                "{} key usage is {} which is not valid for {operation}.",
                key.arn, key.kind.usage
            ),
        ));
    }
    if let Algorithms::Encryption(names) = key.kind.algorithms()
        && names.contains(&algorithm.as_str())
    {
        return Ok(());
    }
    Err(Failure::new(
        Code::InvalidKeyUsage,
        format!(
            "Algorithm {algorithm} is incompatible with key spec {}.",
            key.kind.spec
        ),
    ))
}

/// Only symmetric encryption takes an encryption context.
pub(super) fn check_context(algorithm: Algorithm, pairs: usize) -> Result<(), Failure> {
    if pairs == 0 || algorithm == Algorithm::Symmetric {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "EncryptionContext is not supported with algorithm {algorithm}."
    )))
}

/// What an enclave sends; the engine attests none.
pub(super) fn check_recipient<T>(recipient: Option<&T>) -> Result<(), Failure> {
    match recipient {
        None => Ok(()),
        Some(_) => Err(Failure::silent(Code::UnsupportedOperation)),
    }
}

/// The material with which a key encrypts now.
pub(super) fn current(connection: &Connection, key: &Key) -> Result<StoredMaterial, Failure> {
    let id = key.material.as_deref().unwrap_or_default();
    material::find(connection, key.row, id)?
        .ok_or_else(|| Failure::internal(&format!("{} has no key material", key.arn)))
}

/// The secret of some material.
pub(super) fn unseal(context: &Context<'_>, stored: &StoredMaterial) -> Result<Vec<u8>, Failure> {
    context
        .database
        .master
        .open(&stored.sealed, &stored.id)
        .map_err(|error| Failure::internal(&error))
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Ciphertext => Self::silent(Code::InvalidCiphertext),
            CryptoError::Library | CryptoError::Entropy(_) => Self::internal(&error),
        }
    }
}
