//! `Encrypt`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto::{self, cipher as ciphers};
use crate::engine::store::keys::Key;
use crate::engine::store::material::StoredMaterial;
use crate::engine::wire::{Blob, Check, Failure};
use crate::model::{KeySpec, KeyUsage, Operation};

use super::cipher::{self, Algorithm};
use super::key_use::{self, Use};
use super::{Context, grant_members, last_usage};

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
    let asked = Use {
        key_id,
        usage: KeyUsage::EncryptDecrypt,
        algorithm: algorithm.as_str(),
        operation: Operation::Encrypt,
    };
    let (key, stored) = asked.find(context)?;
    check_length(algorithm, key.kind.spec, plaintext)?;
    key_use::check_dry_run(input.dry_run)?;
    let ciphertext = encrypt_with(context, &stored, algorithm, plaintext, &pairs)?;
    last_usage::note(context, &key, Operation::Encrypt)?;
    Ok(output(&key, ciphertext, algorithm))
}

/// Encrypts under material that the algorithm is for.
pub(super) fn encrypt_with(
    context: &Context<'_>,
    stored: &StoredMaterial,
    algorithm: Algorithm,
    plaintext: &[u8],
    pairs: &crypto::Context,
) -> Result<Vec<u8>, Failure> {
    let public = key_use::public(stored);
    match algorithm {
        Algorithm::Symmetric => seal(context, stored, plaintext, pairs),
        Algorithm::Rsa(padding) => Ok(ciphers::rsa_encrypt(public, padding, plaintext)?),
        Algorithm::Sm2 => Ok(ciphers::sm2_encrypt(public, plaintext, context.entropy)?),
    }
}

/// Encrypts under symmetric material.
pub(super) fn seal(
    context: &Context<'_>,
    stored: &StoredMaterial,
    plaintext: &[u8],
    pairs: &crypto::Context,
) -> Result<Vec<u8>, Failure> {
    let secret = key_use::unseal(context, stored)?;
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

/// Checks that a plaintext fits under an algorithm.
pub(super) fn check_length(
    algorithm: Algorithm,
    spec: KeySpec,
    plaintext: &[u8],
) -> Result<(), Failure> {
    let capacity = algorithm.capacity(spec);
    if plaintext.len() <= capacity {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {capacity} bytes."
    )))
}
