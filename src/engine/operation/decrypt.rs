//! `Decrypt`.

use rusqlite::Connection;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::engine::crypto::{self, SymmetricBlob, cipher as ciphers};
use crate::engine::store::keys::{self, Key};
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::wire::{Blob, Check, Code, Failure};
use crate::model::Operation;

use super::cipher::{self, Algorithm};
use super::{Context, find_key, grant_members, key_state, last_usage};

/// The longest ciphertext; KMS API reference, `Decrypt`.
const LONGEST: usize = 6144;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    ciphertext_blob: Option<Blob>,
    encryption_context: Option<crypto::Context>,
    grant_tokens: Option<Vec<String>>,
    key_id: Option<String>,
    encryption_algorithm: Option<String>,
    recipient: Option<IgnoredAny>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
    plaintext: Blob,
    encryption_algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

pub(super) fn decrypt(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let ciphertext = check.blob("ciphertextBlob", input.ciphertext_blob.as_ref(), LONGEST);
    check.length("keyId", input.key_id.as_deref(), 1..=2048);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    let algorithm = Algorithm::check(&mut check, input.encryption_algorithm.as_deref());
    check.finish()?;
    cipher::check_recipient(input.recipient.as_ref())?;
    let pairs = input.encryption_context.clone().unwrap_or_default();
    cipher::check_context(algorithm, pairs.len())?;
    let key_id = input.key_id.as_deref();
    let blob = match algorithm {
        Algorithm::Symmetric => SymmetricBlob::from_bytes(ciphertext),
        Algorithm::Rsa(_) | Algorithm::Sm2 => None,
    };
    let (key, stored) = context.read(|connection| match &blob {
        Some(blob) => of_blob(context, connection, blob, key_id),
        None => of_request(context, connection, key_id, algorithm),
    })?;
    let secret = cipher::unseal(context, &stored)?;
    let plaintext = match (algorithm, &blob) {
        (Algorithm::Symmetric, Some(blob)) => ciphers::symmetric_decrypt(&secret, blob, &pairs)?,
        (Algorithm::Symmetric, None) => return Err(Failure::silent(Code::InvalidCiphertext)),
        (Algorithm::Rsa(padding), _) => ciphers::rsa_decrypt(&secret, padding, ciphertext)?,
        (Algorithm::Sm2, _) => ciphers::sm2_decrypt(&secret, ciphertext)?,
    };
    if input.dry_run == Some(true) {
        return Err(grant_members::dry_run());
    }
    last_usage::note(context, &key, Operation::Decrypt)?;
    Ok(Output {
        key_id: key.arn.to_string(),
        plaintext: Blob(plaintext),
        encryption_algorithm: algorithm.as_str(),
        key_material_id: key.kind.is_symmetric().then_some(stored.id),
    })
}

/// The key that a symmetric ciphertext names; where the request names one too, it must be the same.
fn of_blob(
    context: &Context<'_>,
    connection: &Connection,
    blob: &SymmetricBlob,
    key_id: Option<&str>,
) -> Result<(Key, StoredMaterial), Failure> {
    let region = context.caller.region.as_str();
    let row = material::key_with(connection, region, &blob.material)?;
    if let Some(key_id) = key_id {
        let named = find_key::find_in_any_state(context, connection, key_id, Operation::Decrypt)?;
        if Some(named.row) != row {
            return Err(Failure::new(
                Code::IncorrectKey,
                "The key ID in the request does not identify a CMK that can perform this operation.",
            ));
        }
    }
    let gone = || {
        Failure::new(
            Code::AccessDenied,
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or \
             you are not allowed to access.",
        )
    };
    let key = keys::at(connection, row.ok_or_else(gone)?)?;
    key_state::check(&key, Operation::Decrypt)?;
    let stored = material::find(connection, key.row, &blob.material)?.ok_or_else(gone)?;
    Ok((key, stored))
}

/// The key of a ciphertext that names none.
fn of_request(
    context: &Context<'_>,
    connection: &Connection,
    key_id: Option<&str>,
    algorithm: Algorithm,
) -> Result<(Key, StoredMaterial), Failure> {
    let key_id = match key_id {
        Some(key_id) => key_id,
        None if algorithm == Algorithm::Symmetric => {
            return Err(Failure::silent(Code::InvalidCiphertext));
        }
        None => {
            return Err(Failure::validation(
                "You must specify a KeyId for ciphertexts of asymmetric keys.",
            ));
        }
    };
    let key = find_key::find(context, connection, key_id, Operation::Decrypt)?;
    cipher::check_key(&key, algorithm, Operation::Decrypt)?;
    let stored = cipher::current(connection, &key)?;
    Ok((key, stored))
}
