//! `Sign` and `Verify`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto::{self, Form, Message, MessageType, SigningAlgorithm};
use crate::engine::wire::{Blob, Check, Code, Failure};
use crate::model::{KeyUsage, Operation};

use super::key_use::{self, Use};
use super::{Context, grant_members, last_usage};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    message: Option<Blob>,
    message_type: Option<String>,
    /// What [`verify`] checks.
    signature: Option<Blob>,
    signing_algorithm: Option<String>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SignOutput {
    key_id: String,
    signature: Blob,
    signing_algorithm: &'static str,
}

pub(super) fn sign(context: &Context<'_>, input: &Input) -> Result<SignOutput, Failure> {
    let mut check = Check::default();
    let asked = Asked::of(&mut check, input, Operation::Sign);
    check.finish()?;
    let (key, stored) = asked.key_use().find(context)?;
    asked.check_message()?;
    key_use::check_dry_run(input.dry_run)?;
    let secret = key_use::unseal(context, &stored)?;
    let signature = crypto::sign(key.kind.spec, asked.algorithm, &secret, asked.message)?;
    last_usage::note(context, &key, Operation::Sign)?;
    Ok(SignOutput {
        key_id: key.arn.to_string(),
        signature: Blob(signature),
        signing_algorithm: asked.algorithm.as_str(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifyOutput {
    key_id: String,
    signature_valid: bool,
    signing_algorithm: &'static str,
}

pub(super) fn verify(context: &Context<'_>, input: &Input) -> Result<VerifyOutput, Failure> {
    let mut check = Check::default();
    let asked = Asked::of(&mut check, input, Operation::Verify);
    let signature = check.blob("signature", input.signature.as_ref(), 6144);
    check.finish()?;
    let (key, stored) = asked.key_use().find(context)?;
    asked.check_message()?;
    key_use::check_dry_run(input.dry_run)?;
    let public = key_use::public(&stored);
    let Asked {
        algorithm, message, ..
    } = asked;
    if !crypto::verify(key.kind.spec, algorithm, public, message, signature)? {
        return Err(Failure::silent(Code::InvalidSignature));
    }
    last_usage::note(context, &key, Operation::Verify)?;
    Ok(VerifyOutput {
        key_id: key.arn.to_string(),
        signature_valid: true,
        signing_algorithm: algorithm.as_str(),
    })
}

/// What both operations are asked.
struct Asked<'a> {
    key_id: &'a str,
    message: Message<'a>,
    algorithm: SigningAlgorithm,
    operation: Operation,
}

impl<'a> Asked<'a> {
    fn of(check: &mut Check, input: &'a Input, operation: Operation) -> Self {
        let key_id = check.key_id(input.key_id.as_deref());
        let bytes = check.blob("message", input.message.as_ref(), 4096);
        let kind = check.choice(
            "messageType",
            input.message_type.as_deref(),
            MessageType::ALL,
        );
        let algorithm = check.required_choice(
            "signingAlgorithm",
            input.signing_algorithm.as_deref(),
            SigningAlgorithm::ALL,
        );
        grant_members::check_tokens(check, input.grant_tokens.as_deref());
        Self {
            key_id,
            message: Message {
                kind: kind.unwrap_or(MessageType::Raw),
                bytes,
            },
            algorithm: algorithm.unwrap_or(SigningAlgorithm::RsaPssSha256),
            operation,
        }
    }

    fn key_use(&self) -> Use<'a> {
        Use {
            key_id: self.key_id,
            usage: KeyUsage::SignVerify,
            algorithm: self.algorithm.as_str(),
            operation: self.operation,
        }
    }

    /// Checks that the algorithm takes such messages.
    fn check_message(&self) -> Result<(), Failure> {
        let Self {
            message, algorithm, ..
        } = self;
        match algorithm.form(message.kind) {
            None => Err(Failure::validation(format!(
                "MessageType {} is not valid for algorithm {algorithm}.",
                message.kind
            ))),
            Some(Form::Long(length)) if length != message.bytes.len() => Err(Failure::validation(
                format!("Digest is invalid length for algorithm {algorithm}."),
            )),
            Some(Form::Any | Form::Long(_)) => Ok(()),
        }
    }
}
