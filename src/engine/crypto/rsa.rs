//! RSA: OAEP, PSS and PKCS #1.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{RsaParameters, RsaSignatureEncoding, UnparsedPublicKey};

use super::{CryptoError, Material};

/// The hash of OAEP's padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Sha1,
    Sha256,
}

impl Padding {
    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }
}

/// Makes a key pair.
pub(super) fn generate(size: KeySize) -> Result<Material, CryptoError> {
    material(&PrivateDecryptingKey::generate(size)?)
}

/// Reads a key pair of a size from a PKCS #8 private key.
pub(super) fn import(size: KeySize, pkcs8: &[u8]) -> Result<Material, CryptoError> {
    let key = PrivateDecryptingKey::from_pkcs8(pkcs8)?;
    if key.key_size_bytes() != size.len() {
        return Err(CryptoError::Library);
    }
    material(&key)
}

fn material(key: &PrivateDecryptingKey) -> Result<Material, CryptoError> {
    Ok(Material {
        secret: key.as_der()?.as_ref().to_vec(),
        public: Some(key.public_key().as_der()?.as_ref().to_vec()),
    })
}

/// The length of a key's modulus, which its ciphertexts have too.
pub(super) fn modulus_length(secret: &[u8]) -> Result<usize, CryptoError> {
    Ok(PrivateDecryptingKey::from_pkcs8(secret)?.key_size_bytes())
}

/// Encrypts with a public half.
pub(crate) fn encrypt(
    public: &[u8],
    padding: Padding,
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public)?)?;
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let length = key
        .encrypt(padding.algorithm(), plaintext, &mut ciphertext, None)?
        .len();
    ciphertext.truncate(length);
    Ok(ciphertext)
}

/// Decrypts with the secret.
pub(crate) fn decrypt(
    secret: &[u8],
    padding: Padding,
    ciphertext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(secret)?)?;
    let mut plaintext = vec![0; key.min_output_size()];
    let length = key
        .decrypt(padding.algorithm(), ciphertext, &mut plaintext, None)
        .map_err(|_| CryptoError::Ciphertext)?
        .len();
    plaintext.truncate(length);
    Ok(plaintext)
}

/// Signs a digest.
pub(super) fn sign(
    encoding: &'static RsaSignatureEncoding,
    secret: &[u8],
    digest: &Digest,
) -> Result<Vec<u8>, CryptoError> {
    let pair = KeyPair::from_pkcs8(secret)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, digest, &mut signature)?;
    Ok(signature)
}

/// True when a signature is that of a digest.
pub(super) fn verify(
    parameters: &'static RsaParameters,
    public: &[u8],
    digest: &Digest,
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(parameters, public)
        .verify_digest(digest, signature)
        .is_ok()
}
