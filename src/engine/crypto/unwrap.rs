//! How imported key material is wrapped.

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrapPadded as _};

use crate::engine::wire::words;

use super::rsa::{self, Padding};
use super::{CryptoError, sm2};

words! {
    /// A wrapping algorithm.
    WrappingAlgorithm {
        Pkcs1 = "RSAES_PKCS1_V1_5",
        OaepSha1 = "RSAES_OAEP_SHA_1",
        OaepSha256 = "RSAES_OAEP_SHA_256",
        AesSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        AesSha256 = "RSA_AES_KEY_WRAP_SHA_256",
        Sm2Pke = "SM2PKE",
    }
}

/// Unwraps material with the wrapping key's secret.
pub(crate) fn unwrap(
    algorithm: WrappingAlgorithm,
    secret: &[u8],
    wrapped: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    match algorithm {
        WrappingAlgorithm::Pkcs1 => Err(CryptoError::Ciphertext),
        WrappingAlgorithm::OaepSha1 => rsa::decrypt(secret, Padding::Sha1, wrapped),
        WrappingAlgorithm::OaepSha256 => rsa::decrypt(secret, Padding::Sha256, wrapped),
        WrappingAlgorithm::AesSha1 => in_two_steps(secret, Padding::Sha1, wrapped),
        WrappingAlgorithm::AesSha256 => in_two_steps(secret, Padding::Sha256, wrapped),
        WrappingAlgorithm::Sm2Pke => sm2::decrypt(secret, wrapped),
    }
}

/// An AES key under RSA, and behind it the material under the AES key (RFC 5649).
fn in_two_steps(secret: &[u8], padding: Padding, wrapped: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let length = rsa::modulus_length(secret)?;
    let (key, wrapped) = wrapped
        .split_at_checked(length)
        .ok_or(CryptoError::Ciphertext)?;
    let key = rsa::decrypt(secret, padding, key)?;
    let cipher = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(CryptoError::Ciphertext),
    };
    let mut material = vec![0; wrapped.len()];
    let length = AesKek::new(cipher, &key)?
        .unwrap_with_padding(wrapped, &mut material)
        .map_err(|_| CryptoError::Ciphertext)?
        .len();
    material.truncate(length);
    Ok(material)
}
