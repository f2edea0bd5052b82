//! AES-256-GCM with an encryption context.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::engine::entropy::{self, Entropy};

use super::CryptoError;
use super::blob::SymmetricBlob;

/// An encryption context: pairs without an order.
pub(crate) type Context = BTreeMap<String, String>;

/// Encrypts under a secret; the blob names the material so that decrypting needs no key id.
pub(crate) fn encrypt(
    secret: &[u8],
    material: &str,
    plaintext: &[u8],
    context: &Context,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let nonce: [u8; NONCE_LEN] = entropy::bytes(entropy)?;
    let mut sealed = plaintext.to_vec();
    key(secret)?.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(associated(material, context)),
        &mut sealed,
    )?;
    let blob = SymmetricBlob {
        material: material.to_owned(),
        nonce,
        sealed,
    };
    Ok(blob.to_bytes())
}

/// Decrypts what was encrypted with the same context.
pub(crate) fn decrypt(
    secret: &[u8],
    blob: &SymmetricBlob,
    context: &Context,
) -> Result<Vec<u8>, CryptoError> {
    let mut plaintext = blob.sealed.clone();
    let length = key(secret)?
        .open_in_place(
            Nonce::assume_unique_for_key(blob.nonce),
            Aad::from(associated(&blob.material, context)),
            &mut plaintext,
        )
        .map_err(|_| CryptoError::Ciphertext)?
        .len();
    plaintext.truncate(length);
    Ok(plaintext)
}

fn key(secret: &[u8]) -> Result<LessSafeKey, CryptoError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret)?))
}

/// Material and context as bytes that no other pair of them gives: each text follows its length.
fn associated(material: &str, context: &Context) -> Vec<u8> {
    let texts = context.iter().flat_map(|(key, value)| [key, value]);
    let mut bytes = material.as_bytes().to_vec();
    for text in texts {
        bytes.extend_from_slice(&text.len().to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}
