//! The form of symmetric ciphertexts: version, material id, nonce, sealed text.
//!
//! AWS's own form is not public; clients may only pass it on.

use aws_lc_rs::aead::NONCE_LEN;

use crate::engine::entropy::{hex, unhex};

const VERSION: u8 = 1;
/// The length of a material id, whose text is hexadecimal.
const MATERIAL: usize = 32;

/// A symmetric ciphertext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SymmetricBlob {
    /// The id of the material that encrypted it.
    pub material: String,
    pub nonce: [u8; NONCE_LEN],
    /// The text and its tag.
    pub sealed: Vec<u8>,
}

impl SymmetricBlob {
    /// Writes the blob.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let material = unhex(&self.material).unwrap_or_default();
        [&[VERSION], &material[..], &self.nonce, &self.sealed].concat()
    }

    /// Reads a blob that has this form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (material, rest) = rest.split_first_chunk::<MATERIAL>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        Some(Self {
            material: hex(material),
            nonce: *nonce,
            sealed: sealed.to_vec(),
        })
    }
}
