//! RSA with OAEP.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};

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
    let key = PrivateDecryptingKey::generate(size)?;
    Ok(Material {
        secret: key.as_der()?.as_ref().to_vec(),
        public: Some(key.public_key().as_der()?.as_ref().to_vec()),
    })
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
