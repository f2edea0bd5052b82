//! Ed25519 and Ed25519ph (RFC 8032).

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use ed25519_dalek::{Digest as _, Sha512, Signature, SigningKey, VerifyingKey};

use super::{CryptoError, Material};

/// Makes a key pair.
pub(super) fn generate() -> Result<Material, CryptoError> {
    material(&Ed25519KeyPair::generate()?)
}

/// Reads a key pair from a PKCS #8 private key.
pub(super) fn import(pkcs8: &[u8]) -> Result<Material, CryptoError> {
    material(&Ed25519KeyPair::from_pkcs8(pkcs8)?)
}

fn material(pair: &Ed25519KeyPair) -> Result<Material, CryptoError> {
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

/// Signs a message.
pub(super) fn sign(secret: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let pair = Ed25519KeyPair::from_pkcs8(secret)?;
    Ok(pair.try_sign(message)?.as_ref().to_vec())
}

/// True when a signature is that of a message.
pub(super) fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .is_ok()
}

/// Signs the SHA-512 digest of a message.
pub(super) fn sign_prehashed(secret: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let pair = Ed25519KeyPair::from_pkcs8(secret)?;
    let seed: Curve25519SeedBin<'_> = pair.seed()?.as_be_bytes()?;
    let seed = seed.as_ref().try_into().map_err(|_| CryptoError::Library)?;
    SigningKey::from_bytes(seed)
        .sign_prehashed(Sha512::new_with_prefix(message), None)
        .map(|signature| signature.to_bytes().to_vec())
        .map_err(|_| CryptoError::Library)
}

/// True when a signature is that of the SHA-512 digest of a message.
pub(super) fn verify_prehashed(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let verified = || {
        let key = VerifyingKey::from_bytes(public.last_chunk()?).ok()?;
        let signature = Signature::from_slice(signature).ok()?;
        let digest = Sha512::new_with_prefix(message);
        key.verify_prehashed(digest, None, &signature).ok()
    };
    verified().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entropy::{hex, unhex};

    /// RFC 8032, section 7.3, with the seed in a PKCS #8 private key (RFC 8410).
    #[test]
    fn signs_the_standards_prehashed_example() {
        let secret = unhex(
            "302e020100300506032b657004220420\
             833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        );
        let material = import(&secret.unwrap()).unwrap();
        let signature = sign_prehashed(&material.secret, b"abc").unwrap();
        assert_eq!(
            hex(&signature),
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
             31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
        );
        assert!(verify_prehashed(
            &material.public.unwrap(),
            b"abc",
            &signature
        ));
    }
}
