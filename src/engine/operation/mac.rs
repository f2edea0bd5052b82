//! `GenerateMac` and `VerifyMac`.

use serde::{Deserialize, Serialize};

use crate::engine::crypto::{MacAlgorithm, hmac};
use crate::engine::wire::{Blob, Check, Code, Failure};
use crate::model::{KeyUsage, Operation};

use super::key_use::{self, Use};
use super::{Context, grant_members, last_usage};

/// The longest message; KMS API reference.
const LONGEST: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GenerateInput {
    message: Option<Blob>,
    key_id: Option<String>,
    mac_algorithm: Option<String>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GenerateOutput {
    mac: Blob,
    mac_algorithm: &'static str,
    key_id: String,
}

pub(super) fn generate(
    context: &Context<'_>,
    input: &GenerateInput,
) -> Result<GenerateOutput, Failure> {
    let mut check = Check::default();
    let message = check.blob("message", input.message.as_ref(), LONGEST);
    let key_id = check.key_id(input.key_id.as_deref());
    let algorithm = algorithm(&mut check, input.mac_algorithm.as_deref());
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    let (key, stored) = mac_use(key_id, algorithm, Operation::GenerateMac).find(context)?;
    key_use::check_dry_run(input.dry_run)?;
    let mac = hmac::sign(algorithm, &key_use::unseal(context, &stored)?, message);
    last_usage::note(context, &key, Operation::GenerateMac)?;
    Ok(GenerateOutput {
        mac: Blob(mac),
        mac_algorithm: algorithm.as_str(),
        key_id: key.arn.to_string(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifyInput {
    message: Option<Blob>,
    key_id: Option<String>,
    mac_algorithm: Option<String>,
    mac: Option<Blob>,
    grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifyOutput {
    key_id: String,
    mac_valid: bool,
    mac_algorithm: &'static str,
}

pub(super) fn verify(context: &Context<'_>, input: &VerifyInput) -> Result<VerifyOutput, Failure> {
    let mut check = Check::default();
    let message = check.blob("message", input.message.as_ref(), LONGEST);
    let key_id = check.key_id(input.key_id.as_deref());
    let algorithm = algorithm(&mut check, input.mac_algorithm.as_deref());
    let mac = check.blob("mac", input.mac.as_ref(), 6144);
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    let (key, stored) = mac_use(key_id, algorithm, Operation::VerifyMac).find(context)?;
    key_use::check_dry_run(input.dry_run)?;
    let secret = key_use::unseal(context, &stored)?;
    if !hmac::verify(algorithm, &secret, message, mac) {
        return Err(Failure::silent(Code::InvalidMac));
    }
    last_usage::note(context, &key, Operation::VerifyMac)?;
    Ok(VerifyOutput {
        key_id: key.arn.to_string(),
        mac_valid: true,
        mac_algorithm: algorithm.as_str(),
    })
}

fn algorithm(check: &mut Check, value: Option<&str>) -> MacAlgorithm {
    check
        .required_choice("macAlgorithm", value, MacAlgorithm::ALL)
        .unwrap_or(MacAlgorithm::HmacSha256)
}

fn mac_use(key_id: &str, algorithm: MacAlgorithm, operation: Operation) -> Use<'_> {
    Use {
        key_id,
        usage: KeyUsage::GenerateVerifyMac,
        algorithm: algorithm.as_str(),
        operation,
    }
}
