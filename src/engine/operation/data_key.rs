//! `GenerateDataKey` and `GenerateDataKeyWithoutPlaintext`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::wire::{Blob, Check, Failure, Structure, words};
use crate::model::{KeyUsage, Operation};

use super::cipher::Algorithm;
use super::key_use::{self, Recipient, Use};
use super::{Context, encrypt, grant_members, last_usage};

words! {
    /// The kinds of data keys that have names.
    DataKeySpec {
        Aes256 = "AES_256",
        Aes128 = "AES_128",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    encryption_context: Option<crypto::Context>,
    number_of_bytes: Option<i64>,
    key_spec: Option<String>,
    grant_tokens: Option<Vec<String>>,
    recipient: Option<Structure<Recipient>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    ciphertext_blob: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<Blob>,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

pub(super) fn generate(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    make(context, input, Operation::GenerateDataKey)
}

pub(super) fn generate_without_plaintext(
    context: &Context<'_>,
    input: &Input,
) -> Result<Output, Failure> {
    let output = make(context, input, Operation::GenerateDataKeyWithoutPlaintext)?;
    Ok(Output {
        plaintext: None,
        ..output
    })
}

fn make(context: &Context<'_>, input: &Input, operation: Operation) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.range("numberOfBytes", input.number_of_bytes, &(1..=1024));
    let spec = check.choice("keySpec", input.key_spec.as_deref(), DataKeySpec::ALL);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    key_use::check_recipient(input.recipient.as_ref())?;
    let length = match (spec, input.number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => 32,
        (Some(DataKeySpec::Aes128), None) => 16,
        (None, Some(length)) => usize::try_from(length).unwrap_or_default(),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Failure::validation(
                "Please specify either number of bytes or key spec.",
            ));
        }
    };
    let asked = Use {
        key_id,
        usage: KeyUsage::EncryptDecrypt,
        algorithm: Algorithm::Symmetric.as_str(),
        operation,
    };
    let (key, stored) = asked.find(context)?;
    key_use::check_dry_run(input.dry_run)?;
    let mut plaintext = vec![0; length];
    context.entropy.fill(&mut plaintext)?;
    let pairs = input.encryption_context.clone().unwrap_or_default();
    let ciphertext = encrypt::seal(context, &stored, &plaintext, &pairs)?;
    last_usage::note(context, &key, operation)?;
    Ok(Output {
        ciphertext_blob: Blob(ciphertext),
        plaintext: Some(Blob(plaintext)),
        key_id: key.arn.to_string(),
        key_material_id: key.shows_material().then_some(stored.id),
    })
}
