//! `Encrypt`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto::{self, cipher as ciphers};
use crate::engine::store::keys::Key;
use crate::engine::store::material::StoredMaterial;
use crate::engine::wire::{Blob, Check, Failure};
use crate::model::{KeySpec, Operation};

use super::cipher::{self, Algorithm};
use super::{Context, find_key, grant_members, last_usage};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    plaintext: Option<Blob>,
    encryption_context: Option<crypto::Context>,
    grant_tokens: Option<Vec<String>>,
    encryption_algorithm: Option<String>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    ciphertext_blob: Blob,
    key_id: String,
    encryption_algorithm: &'static str,
}

pub(super) fn encrypt(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let plaintext = check.blob("plaintext", input.plaintext.as_ref(), 4096);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    let algorithm = Algorithm::check(&mut check, input.encryption_algorithm.as_deref());
    check.finish()?;
    let pairs = input.encryption_context.clone().unwrap_or_default();
    cipher::check_context(algorithm, pairs.len())?;
    let (key, stored) = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::Encrypt)?;
        cipher::check_key(&key, algorithm, Operation::Encrypt)?;
        let stored = cipher::current(connection, &key)?;
        Ok((key, stored))
    })?;
    check_length(algorithm, key.kind.spec, plaintext)?;
    if input.dry_run == Some(true) {
        return Err(grant_members::dry_run());
    }
    let ciphertext = match algorithm {
        Algorithm::Symmetric => seal(context, &stored, plaintext, &pairs)?,
        Algorithm::Rsa(padding) => ciphers::rsa_encrypt(public(&stored), padding, plaintext)?,
        Algorithm::Sm2 => ciphers::sm2_encrypt(public(&stored), plaintext, context.entropy)?,
    };
    last_usage::note(context, &key, Operation::Encrypt)?;
    Ok(output(&key, ciphertext, algorithm))
}

/// Encrypts under symmetric material.
pub(super) fn seal(
    context: &Context<'_>,
    stored: &StoredMaterial,
    plaintext: &[u8],
    pairs: &crypto::Context,
) -> Result<Vec<u8>, Failure> {
    let secret = cipher::unseal(context, stored)?;
    Ok(ciphers::symmetric_encrypt(
        &secret,
        &stored.id,
        plaintext,
        pairs,
        context.entropy,
    )?)
}

fn output(key: &Key, ciphertext: Vec<u8>, algorithm: Algorithm) -> Output {
    Output {
        ciphertext_blob: Blob(ciphertext),
        key_id: key.arn.to_string(),
        encryption_algorithm: algorithm.as_str(),
    }
}

fn check_length(algorithm: Algorithm, spec: KeySpec, plaintext: &[u8]) -> Result<(), Failure> {
    let capacity = algorithm.capacity(spec);
    if plaintext.len() <= capacity {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {capacity} bytes."
    )))
}

fn public(stored: &StoredMaterial) -> &[u8] {
    stored.public.as_deref().unwrap_or_default()
}
