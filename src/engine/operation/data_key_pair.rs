//! `GenerateDataKeyPair` and `GenerateDataKeyPairWithoutPlaintext`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::wire::{Blob, Check, Failure, Structure};
use crate::model::{KeySpec, KeyUsage, Operation};

use super::cipher::Algorithm;
use super::key_use::{self, Recipient, Use};
use super::{Context, create_key, encrypt, grant_members, last_usage};

/// The specs of data key pairs.
const SPECS: &[KeySpec] = &[
    KeySpec::Rsa2048,
    KeySpec::Rsa3072,
    KeySpec::Rsa4096,
    KeySpec::EccNistP256,
    KeySpec::EccNistP384,
    KeySpec::EccNistP521,
    KeySpec::EccSecgP256k1,
    KeySpec::Sm2,
    KeySpec::EccNistEdwards25519,
    KeySpec::MlKem512,
    KeySpec::MlKem768,
    KeySpec::MlKem1024,
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    encryption_context: Option<crypto::Context>,
    key_id: Option<String>,
    key_pair_spec: Option<String>,
    grant_tokens: Option<Vec<String>>,
    recipient: Option<Structure<Recipient>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    private_key_ciphertext_blob: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_plaintext: Option<Blob>,
    public_key: Blob,
    key_id: String,
    key_pair_spec: &'static str,
    key_material_id: String,
}

pub(super) fn generate(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    make(context, input, Operation::GenerateDataKeyPair)
}

pub(super) fn generate_without_plaintext(
    context: &Context<'_>,
    input: &Input,
) -> Result<Output, Failure> {
    let operation = Operation::GenerateDataKeyPairWithoutPlaintext;
    let output = make(context, input, operation)?;
    Ok(Output {
        private_key_plaintext: None,
        ..output
    })
}

fn make(context: &Context<'_>, input: &Input, operation: Operation) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let spec = check
        .required_choice("keyPairSpec", input.key_pair_spec.as_deref(), SPECS)
        .unwrap_or(KeySpec::Rsa2048);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    key_use::check_recipient(input.recipient.as_ref())?;
    create_key::check_region(context, spec)?;
    let asked = Use {
        key_id,
        usage: KeyUsage::EncryptDecrypt,
        algorithm: Algorithm::Symmetric.as_str(),
        operation,
    };
    let (key, stored) = asked.find(context)?;
    key_use::check_dry_run(input.dry_run)?;
    let pair = crypto::generate(spec, context.entropy)?;
    let pairs = input.encryption_context.clone().unwrap_or_default();
    let ciphertext = encrypt::seal(context, &stored, &pair.secret, &pairs)?;
    last_usage::note(context, &key, operation)?;
    Ok(Output {
        private_key_ciphertext_blob: Blob(ciphertext),
        private_key_plaintext: Some(Blob(pair.secret)),
        public_key: Blob(pair.public.unwrap_or_default()),
        key_id: key.arn.to_string(),
        key_pair_spec: spec.as_str(),
        key_material_id: stored.id,
    })
}
