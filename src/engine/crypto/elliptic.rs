//! The NIST curves and secp256k1: ECDSA and ECDH.

use aws_lc_rs::agreement::{
    self, ECDH_P256, ECDH_P384, ECDH_P521, ParsedPublicKey, ParsedPublicKeyFormat, PrivateKey,
};
use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _, UnparsedPublicKey,
};

use super::{CryptoError, Material};

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    /// ECDSA with the hash that KMS pairs with the curve.
    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
            Self::Secp256k1 => &ECDSA_P256K1_SHA256_ASN1_SIGNING,
        }
    }

    fn agreement(self) -> Option<&'static agreement::Algorithm> {
        match self {
            Self::P256 => Some(&ECDH_P256),
            Self::P384 => Some(&ECDH_P384),
            Self::P521 => Some(&ECDH_P521),
            Self::Secp256k1 => None,
        }
    }
}

/// Makes a key pair.
pub(super) fn generate(curve: Curve) -> Result<Material, CryptoError> {
    material(&EcdsaKeyPair::generate(curve.signing())?)
}

/// Reads a key pair from a PKCS #8 private key of the curve.
pub(super) fn import(curve: Curve, pkcs8: &[u8]) -> Result<Material, CryptoError> {
    material(&EcdsaKeyPair::from_pkcs8(curve.signing(), pkcs8)?)
}

fn material(pair: &EcdsaKeyPair) -> Result<Material, CryptoError> {
    Ok(Material {
        secret: pair.to_pkcs8v1()?.as_ref().to_vec(),
        public: Some(pair.public_key().as_der()?.as_ref().to_vec()),
    })
}

/// Signs a digest; the signature is a DER sequence of two integers.
pub(super) fn sign(curve: Curve, secret: &[u8], digest: &Digest) -> Result<Vec<u8>, CryptoError> {
    let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), secret)?;
    Ok(pair.sign_digest(digest)?.as_ref().to_vec())
}

/// True when a signature is that of a digest.
pub(super) fn verify(curve: Curve, public: &[u8], digest: &Digest, signature: &[u8]) -> bool {
    let algorithm: &'static EcdsaVerificationAlgorithm = curve.signing();
    UnparsedPublicKey::new(algorithm, public)
        .verify_digest(digest, signature)
        .is_ok()
}

/// The secret that the two parties of ECDH share: the common point's x coordinate.
pub(super) fn agree(curve: Curve, secret: &[u8], peer: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let algorithm = curve.agreement().ok_or(CryptoError::Library)?;
    let key = PrivateKey::from_private_key_der(algorithm, secret)?;
    let peer: ParsedPublicKey = agreement::UnparsedPublicKey::new(algorithm, peer)
        .try_into()
        .map_err(|_| CryptoError::PublicKey)?;
    if peer.format() != ParsedPublicKeyFormat::X509 {
        return Err(CryptoError::PublicKey);
    }
    agreement::agree(&key, peer, CryptoError::PublicKey, |shared| {
        Ok(shared.to_vec())
    })
}
