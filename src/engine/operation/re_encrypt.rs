//! `ReEncrypt`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::wire::{Blob, Check, Failure};
use crate::model::Operation;

use super::cipher::{self, Algorithm};
use super::source::{Members, Source};
use super::{Context, encrypt, find_key, grant_members, key_use, last_usage};

/// The name under which a use is noted; the permissions for the two halves have names of their own.
const NAME: &str = "ReEncrypt";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    ciphertext_blob: Option<Blob>,
    source_encryption_context: Option<crypto::Context>,
    source_key_id: Option<String>,
    destination_key_id: Option<String>,
    destination_encryption_context: Option<crypto::Context>,
    source_encryption_algorithm: Option<String>,
    destination_encryption_algorithm: Option<String>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
    dry_run_modifiers: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    ciphertext_blob: Blob,
    source_key_id: String,
    key_id: String,
    source_encryption_algorithm: &'static str,
    destination_encryption_algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_key_material_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_key_material_id: Option<String>,
}

pub(super) fn re_encrypt(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let source = Source::of(&mut check, source_members(input));
    let destination = check.text(
        "destinationKeyId",
        input.destination_key_id.as_deref(),
        1..=2048,
    );
    let algorithm = Algorithm::check_member(
        &mut check,
        "destinationEncryptionAlgorithm",
        input.destination_encryption_algorithm.as_deref(),
    );
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    source.check()?;
    let pairs = input.destination_encryption_context.clone();
    let pairs = pairs.unwrap_or_default();
    cipher::check_context(algorithm, pairs.len())?;
    let ((from, opening), (to, closing)) = context.read(|connection| {
        let is_same = source.is_of(context, connection, destination)?;
        context.know("kms:ReEncryptOnSameKey", is_same.to_string());
        let from = source.find(context, connection)?;
        let operation = Operation::ReEncryptTo;
        let to = find_key::find(context, connection, destination, operation)?;
        cipher::check_key(&to, algorithm, operation)?;
        let closing = key_use::current(connection, &to)?;
        Ok((from, (to, closing)))
    })?;
    let plaintext = source.open(context, &opening)?;
    encrypt::check_length(algorithm, to.kind.spec, &plaintext)?;
    key_use::check_dry_run(input.dry_run)?;
    let ciphertext = encrypt::encrypt_with(context, &closing, algorithm, &plaintext, &pairs)?;
    last_usage::note(context, &from, NAME)?;
    if to.row != from.row {
        last_usage::note(context, &to, NAME)?;
    }
    Ok(Output {
        ciphertext_blob: Blob(ciphertext),
        source_key_id: from.arn.to_string(),
        key_id: to.arn.to_string(),
        source_encryption_algorithm: source.algorithm.as_str(),
        destination_encryption_algorithm: algorithm.as_str(),
        source_key_material_id: from.shows_material().then_some(opening.id),
        destination_key_material_id: to.shows_material().then_some(closing.id),
    })
}

fn source_members(input: &Input) -> Members<'_> {
    Members {
        ciphertext: input.ciphertext_blob.as_ref(),
        pairs: input.source_encryption_context.as_ref(),
        names: ("sourceKeyId", "sourceEncryptionAlgorithm"),
        key_id: input.source_key_id.as_deref(),
        algorithm: input.source_encryption_algorithm.as_deref(),
        dry_run: input.dry_run,
        modifiers: input.dry_run_modifiers.as_deref(),
        operation: Operation::ReEncryptFrom,
    }
}
