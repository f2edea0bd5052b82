//! What cryptographic operations share: which key does what, and a key's secrets.

use serde::Deserialize;

use crate::engine::crypto::CryptoError;
use crate::engine::store::Connection;
use crate::engine::store::keys::Key;
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::wire::{Blob, Check, Code, Failure, Structure, words};
use crate::model::{KeyUsage, Operation};

use super::{Context, find_key, grant_members};

words! { KeyEncryptionMechanism { RsaesOaepSha256 = "RSAES_OAEP_SHA_256", } }

/// The enclave that an answer shall be encrypted for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Recipient {
    key_encryption_algorithm: Option<String>,
    attestation_document: Option<Blob>,
}

/// Checks that a key is for a usage, and works with an algorithm.
pub(super) fn check(
    key: &Key,
    usage: KeyUsage,
    algorithm: &str,
    operation: Operation,
) -> Result<(), Failure> {
    let wrong = |message| Err(Failure::new(Code::InvalidKeyUsage, message));
    if key.kind.usage != usage {
        return wrong(format!(
            "{} key usage is {} which is not valid for {operation}.",
            key.arn, key.kind.usage
        ));
    }
    if !key.kind.algorithms().names().contains(&algorithm) {
        return wrong(format!(
            "Algorithm {algorithm} is incompatible with key spec {}.",
            key.kind.spec
        ));
    }
    Ok(())
}

/// Refuses what an enclave asks for: the engine attests none.
pub(super) fn check_recipient(recipient: Option<&Structure<Recipient>>) -> Result<(), Failure> {
    let Some(Structure(recipient)) = recipient else {
        return Ok(());
    };
    let mut check = Check::default();
    check.choice(
        "recipient.keyEncryptionAlgorithm",
        recipient.key_encryption_algorithm.as_deref(),
        KeyEncryptionMechanism::ALL,
    );
    if let Some(document) = &recipient.attestation_document {
        check.blob("recipient.attestationDocument", Some(document), 262_144);
    }
    check.finish()?;
    Err(Failure::new(
        Code::UnsupportedOperation,
        "Recipient is not supported: this KMS attests no enclaves.",
    ))
}

/// A request to do something with the material that a key has now.
pub(super) struct Use<'a> {
    pub key_id: &'a str,
    pub usage: KeyUsage,
    pub algorithm: &'a str,
    pub operation: Operation,
}

impl Use<'_> {
    /// Finds the key and its material, and checks that they may be used so.
    pub(super) fn find(&self, context: &Context<'_>) -> Result<(Key, StoredMaterial), Failure> {
        context.read(|connection| {
            let key = find_key::find(context, connection, self.key_id, self.operation)?;
            check(&key, self.usage, self.algorithm, self.operation)?;
            let stored = current(connection, &key)?;
            Ok((key, stored))
        })
    }
}

/// Ends a dry run with the answer that it would have succeeded.
pub(super) fn check_dry_run(dry_run: Option<bool>) -> Result<(), Failure> {
    match dry_run {
        Some(true) => Err(grant_members::dry_run()),
        Some(false) | None => Ok(()),
    }
}

/// The material with which a key encrypts now.
pub(super) fn current(connection: &Connection, key: &Key) -> Result<StoredMaterial, Failure> {
    let id = key.material.as_deref().unwrap_or_default();
    material::find(connection, key.row, id)?
        .ok_or_else(|| Failure::internal(&format!("{} has no key material", key.arn)))
}

/// The secret of some material.
pub(super) fn unseal(context: &Context<'_>, stored: &StoredMaterial) -> Result<Vec<u8>, Failure> {
    context
        .database
        .master
        .open(&stored.sealed, &stored.id)
        .map_err(|error| Failure::internal(&error))
}

/// The public half of some material.
pub(super) fn public(stored: &StoredMaterial) -> &[u8] {
    stored.public.as_deref().unwrap_or_default()
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Ciphertext => Self::silent(Code::InvalidCiphertext),
            CryptoError::PublicKey => Self::silent(Code::Validation),
            CryptoError::Library | CryptoError::Entropy(_) => Self::internal(&error),
        }
    }
}
