//! What encrypting operations share: algorithms and encryption contexts.

use std::fmt;

use crate::engine::crypto::Padding;
use crate::engine::store::keys::Key;
use crate::engine::wire::{Check, Failure};
use crate::model::{KeySpec, KeyUsage, Operation};

use super::key_use;

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
        Self::check_member(check, "encryptionAlgorithm", value)
    }

    /// Reads an algorithm under another name.
    pub(super) fn check_member(check: &mut Check, member: &str, value: Option<&str>) -> Self {
        check
            .choice(member, value, Self::ALL)
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
    key_use::check(key, KeyUsage::EncryptDecrypt, algorithm.as_str(), operation)
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
