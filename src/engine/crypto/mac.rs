//! Message authentication codes: HMAC (RFC 2104).

use aws_lc_rs::hmac;

use crate::engine::wire::words;

words! {
    /// A MAC algorithm.
    MacAlgorithm {
        HmacSha384 = "HMAC_SHA_384",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha224 = "HMAC_SHA_224",
        HmacSha512 = "HMAC_SHA_512",
    }
}

/// Makes the code of a message.
pub(crate) fn sign(algorithm: MacAlgorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&key(algorithm, secret), message)
        .as_ref()
        .to_vec()
}

/// True when a code is that of a message.
pub(crate) fn verify(algorithm: MacAlgorithm, secret: &[u8], message: &[u8], mac: &[u8]) -> bool {
    hmac::verify(&key(algorithm, secret), message, mac).is_ok()
}

fn key(algorithm: MacAlgorithm, secret: &[u8]) -> hmac::Key {
    let hash = match algorithm {
        MacAlgorithm::HmacSha224 => hmac::HMAC_SHA224,
        MacAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
        MacAlgorithm::HmacSha384 => hmac::HMAC_SHA384,
        MacAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
    };
    hmac::Key::new(hash, secret)
}
