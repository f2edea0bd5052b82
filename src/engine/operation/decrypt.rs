//! `Decrypt`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::wire::{Blob, Check, Failure, Structure};
use crate::model::Operation;

use super::key_use::{self, Recipient};
use super::source::{Members, Source};
use super::{Context, grant_members, last_usage};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    ciphertext_blob: Option<Blob>,
    encryption_context: Option<crypto::Context>,
    grant_tokens: Option<Vec<String>>,
    key_id: Option<String>,
    encryption_algorithm: Option<String>,
    recipient: Option<Structure<Recipient>>,
    dry_run: Option<bool>,
    dry_run_modifiers: Option<Vec<String>>,
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
    let source = Source::of(
        &mut check,
        Members {
            ciphertext: input.ciphertext_blob.as_ref(),
            pairs: input.encryption_context.as_ref(),
            names: ("keyId", "encryptionAlgorithm"),
            key_id: input.key_id.as_deref(),
            algorithm: input.encryption_algorithm.as_deref(),
            dry_run: input.dry_run,
            modifiers: input.dry_run_modifiers.as_deref(),
            operation: Operation::Decrypt,
        },
    );
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    source.check()?;
    key_use::check_recipient(input.recipient.as_ref())?;
    let (key, stored) = context.read(|connection| source.find(context, connection))?;
    let plaintext = source.open(context, &stored)?;
    key_use::check_dry_run(input.dry_run)?;
    last_usage::note(context, &key, Operation::Decrypt)?;
    Ok(Output {
        key_id: key.arn.to_string(),
        plaintext: Blob(plaintext),
        encryption_algorithm: source.algorithm.as_str(),
        key_material_id: key.shows_material().then_some(stored.id),
    })
}
