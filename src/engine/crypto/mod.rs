//! Key material and what is done with it.

mod agree;
mod blob;
mod der;
mod edwards;
mod elliptic;
mod generate;
mod mac;
mod ml_dsa;
mod ml_kem;
mod rsa;
mod sign;
mod sm2;
mod symmetric;
mod unwrap;

pub(crate) use agree::{decapsulate, derive, encapsulate};
pub(crate) use blob::SymmetricBlob;
pub(crate) use generate::{Material, generate, import};
pub(crate) use mac::MacAlgorithm;
pub(crate) use sign::{Form, Message, MessageType, SigningAlgorithm, sign, verify};
pub(crate) use symmetric::Context;
pub(crate) use unwrap::{WrappingAlgorithm, unwrap};

pub(crate) use self::rsa::Padding;

/// The ciphers of one algorithm each.
pub(crate) mod cipher {
    pub(crate) use super::rsa::{decrypt as rsa_decrypt, encrypt as rsa_encrypt};
    pub(crate) use super::sm2::{decrypt as sm2_decrypt, encrypt as sm2_encrypt};
    pub(crate) use super::symmetric::{decrypt as symmetric_decrypt, encrypt as symmetric_encrypt};
}

/// Codes of one algorithm family.
pub(crate) mod hmac {
    pub(crate) use super::mac::{sign, verify};
}

/// Why a cryptographic operation was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CryptoError {
    /// The library refused or failed.
    #[error("the cryptographic library failed")]
    Library,
    /// The input is not what the key made.
    #[error("the ciphertext is not valid")]
    Ciphertext,
    /// A peer's public key is none, or one of another kind.
    #[error("the public key is not valid")]
    PublicKey,
    /// There are no random bytes.
    #[error(transparent)]
    Entropy(#[from] super::entropy::NoEntropy),
}

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}

impl From<aws_lc_rs::error::KeyRejected> for CryptoError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::Library
    }
}
