//! `DeriveSharedSecret`, `Encapsulate` and `Decapsulate`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto;
use crate::engine::wire::{Blob, Check, Failure, Structure, words};
use crate::model::{KeyUsage, Operation};

use super::key_use::{self, Recipient, Use};
use super::{Context, grant_members, last_usage};

words! { KeyAgreementAlgorithm { Ecdh = "ECDH", } }
words! { EncapsulationAlgorithm { MlKem = "ML_KEM", } }

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeriveInput {
    key_id: Option<String>,
    key_agreement_algorithm: Option<String>,
    public_key: Option<Blob>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
    recipient: Option<Structure<Recipient>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeriveOutput {
    key_id: String,
    shared_secret: Blob,
    key_agreement_algorithm: &'static str,
    key_origin: &'static str,
}

pub(super) fn derive(context: &Context<'_>, input: &DeriveInput) -> Result<DeriveOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let algorithm = check
        .required_choice(
            "keyAgreementAlgorithm",
            input.key_agreement_algorithm.as_deref(),
            KeyAgreementAlgorithm::ALL,
        )
        .unwrap_or(KeyAgreementAlgorithm::Ecdh);
    let peer = check.blob("publicKey", input.public_key.as_ref(), 8192);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    key_use::check_recipient(input.recipient.as_ref())?;
    let asked = Use {
        key_id,
        usage: KeyUsage::KeyAgreement,
        algorithm: algorithm.as_str(),
        operation: Operation::DeriveSharedSecret,
    };
    let (key, stored) = asked.find(context)?;
    let secret = key_use::unseal(context, &stored)?;
    let shared = crypto::derive(key.kind.spec, &secret, peer)?;
    key_use::check_dry_run(input.dry_run)?;
    last_usage::note(context, &key, Operation::DeriveSharedSecret)?;
    Ok(DeriveOutput {
        key_id: key.arn.to_string(),
        shared_secret: Blob(shared),
        key_agreement_algorithm: algorithm.as_str(),
        key_origin: key.origin.as_str(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncapsulateInput {
    key_id: Option<String>,
    encapsulation_algorithm: Option<String>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncapsulateOutput {
    key_id: String,
    shared_secret: Blob,
    shared_secret_ciphertext_blob: Blob,
    encapsulation_algorithm: &'static str,
}

pub(super) fn encapsulate(
    context: &Context<'_>,
    input: &EncapsulateInput,
) -> Result<EncapsulateOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let algorithm = encapsulation(&mut check, input.encapsulation_algorithm.as_deref());
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    let asked = encapsulation_use(key_id, algorithm, Operation::Encapsulate);
    let (key, stored) = asked.find(context)?;
    key_use::check_dry_run(input.dry_run)?;
    let made = crypto::encapsulate(key.kind.spec, key_use::public(&stored))?;
    last_usage::note(context, &key, Operation::Encapsulate)?;
    Ok(EncapsulateOutput {
        key_id: key.arn.to_string(),
        shared_secret: Blob(made.shared),
        shared_secret_ciphertext_blob: Blob(made.ciphertext),
        encapsulation_algorithm: algorithm.as_str(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DecapsulateInput {
    key_id: Option<String>,
    shared_secret_ciphertext_blob: Option<Blob>,
    encapsulation_algorithm: Option<String>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DecapsulateOutput {
    key_id: String,
    shared_secret: Blob,
    encapsulation_algorithm: &'static str,
}

pub(super) fn decapsulate(
    context: &Context<'_>,
    input: &DecapsulateInput,
) -> Result<DecapsulateOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let ciphertext = check.blob(
        "sharedSecretCiphertextBlob",
        input.shared_secret_ciphertext_blob.as_ref(),
        6144,
    );
    let algorithm = encapsulation(&mut check, input.encapsulation_algorithm.as_deref());
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    let asked = encapsulation_use(key_id, algorithm, Operation::Decapsulate);
    let (key, stored) = asked.find(context)?;
    let secret = key_use::unseal(context, &stored)?;
    let shared = crypto::decapsulate(key.kind.spec, &secret, ciphertext)?;
    key_use::check_dry_run(input.dry_run)?;
    last_usage::note(context, &key, Operation::Decapsulate)?;
    Ok(DecapsulateOutput {
        key_id: key.arn.to_string(),
        shared_secret: Blob(shared),
        encapsulation_algorithm: algorithm.as_str(),
    })
}

fn encapsulation(check: &mut Check, value: Option<&str>) -> EncapsulationAlgorithm {
    check
        .required_choice("encapsulationAlgorithm", value, EncapsulationAlgorithm::ALL)
        .unwrap_or(EncapsulationAlgorithm::MlKem)
}

fn encapsulation_use(
    key_id: &str,
    algorithm: EncapsulationAlgorithm,
    operation: Operation,
) -> Use<'_> {
    Use {
        key_id,
        usage: KeyUsage::EncapsulateDecapsulate,
        algorithm: algorithm.as_str(),
        operation,
    }
}
