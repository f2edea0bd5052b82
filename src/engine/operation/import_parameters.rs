//! `GetParametersForImport`, and the token that leads back to the wrapping key.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::engine::crypto::{self, WrappingAlgorithm};
use crate::engine::store::keys::Key;
use crate::engine::wire::{Blob, Check, Code, Failure, Seconds, words};
use crate::model::{KeySpec, KeyUsage, Operation};

use super::{Context, create_key, find_key};

/// How long a wrapping key is good for.
const VALIDITY: SignedDuration = SignedDuration::from_hours(24);
/// What tells a token from other sealed values.
const LABEL: &str = "import token";

words! {
    /// A kind of wrapping key.
    WrappingKeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        Sm2 = "SM2",
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    wrapping_algorithm: Option<String>,
    wrapping_key_spec: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
    import_token: Blob,
    public_key: Blob,
    parameters_valid_to: Seconds,
}

/// What is in a token: the engine keeps no wrapping keys.
#[derive(Deserialize, Serialize)]
pub(super) struct Token {
    /// The ARN of the key that the material is for.
    pub key: String,
    algorithm: String,
    valid_to: Seconds,
    secret: Blob,
}

pub(super) fn get(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let algorithm = check.required_choice(
        "wrappingAlgorithm",
        input.wrapping_algorithm.as_deref(),
        WrappingAlgorithm::ALL,
    );
    let spec = check.required_choice(
        "wrappingKeySpec",
        input.wrapping_key_spec.as_deref(),
        WrappingKeySpec::ALL,
    );
    check.finish()?;
    let algorithm = algorithm.unwrap_or(WrappingAlgorithm::OaepSha256);
    let spec = spec.unwrap_or(WrappingKeySpec::Rsa4096);
    let operation = Operation::GetParametersForImport;
    let key = context.read(|connection| find_key::find(context, connection, key_id, operation))?;
    check_pair(context, algorithm, spec)?;
    check_material(&key, algorithm, spec)?;
    let pair = crypto::generate(spec.key_spec(), context.entropy)?;
    let valid_to = context
        .now
        .checked_add(VALIDITY)
        .map_err(|error| Failure::internal(&error))?;
    let token = Token {
        key: key.arn.to_string(),
        algorithm: algorithm.to_string(),
        valid_to: valid_to.into(),
        secret: Blob(pair.secret),
    };
    Ok(Output {
        key_id: key.arn.to_string(),
        import_token: Blob(token.seal(context)?),
        public_key: Blob(pair.public.unwrap_or_default()),
        parameters_valid_to: valid_to.into(),
    })
}

impl WrappingKeySpec {
    fn key_spec(self) -> KeySpec {
        match self {
            Self::Rsa2048 => KeySpec::Rsa2048,
            Self::Rsa3072 => KeySpec::Rsa3072,
            Self::Rsa4096 => KeySpec::Rsa4096,
            Self::Sm2 => KeySpec::Sm2,
        }
    }
}

/// Checks that an algorithm works with such a wrapping key.
fn check_pair(
    context: &Context<'_>,
    algorithm: WrappingAlgorithm,
    spec: WrappingKeySpec,
) -> Result<(), Failure> {
    create_key::check_region(context, spec.key_spec())?;
    if algorithm == WrappingAlgorithm::Pkcs1 {
        return Err(Failure::new(
            Code::UnsupportedOperation,
            format!("Algorithm {algorithm} is no longer supported."),
        ));
    }
    if (algorithm == WrappingAlgorithm::Sm2Pke) == (spec == WrappingKeySpec::Sm2) {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "WrappingAlgorithm {algorithm} is not compatible with WrappingKeySpec {spec}"
    )))
}

/// Checks that material of the key can be wrapped so; API reference, `GetParametersForImport`.
fn check_material(
    key: &Key,
    algorithm: WrappingAlgorithm,
    spec: WrappingKeySpec,
) -> Result<(), Failure> {
    let is_rsa = matches!(
        key.kind.spec,
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096
    );
    let has_two_steps = matches!(
        algorithm,
        WrappingAlgorithm::AesSha1 | WrappingAlgorithm::AesSha256
    );
    let is_raw = key.kind.is_symmetric() || key.kind.usage == KeyUsage::GenerateVerifyMac;
    let is_too_long = key.kind.spec == KeySpec::EccNistP521 && spec == WrappingKeySpec::Rsa2048;
    if (is_raw && has_two_steps) || ((is_rsa || is_too_long) && !has_two_steps) {
        return Err(Failure::validation(format!(
            "WrappingAlgorithm {algorithm} with WrappingKeySpec {spec} cannot wrap key material of KeySpec {}",
            key.kind.spec
        )));
    }
    Ok(())
}

impl Token {
    fn seal(&self, context: &Context<'_>) -> Result<Vec<u8>, Failure> {
        let text = serde_json::to_vec(self).map_err(|error| Failure::internal(&error))?;
        let master = &context.database.master;
        Ok(master.seal(&text, LABEL, context.entropy)?)
    }

    /// Reads a token that this engine made.
    pub(super) fn open(context: &Context<'_>, sealed: &[u8]) -> Result<Self, Failure> {
        let text = context.database.master.open(sealed, LABEL).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| Failure::silent(Code::InvalidImportToken))
    }

    /// Unwraps the material for a key.
    pub(super) fn unwrap(
        &self,
        context: &Context<'_>,
        key: &Key,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        if self.key != key.arn.to_string() {
            return Err(Failure::silent(Code::InvalidImportToken));
        }
        if self.valid_to.time().is_none_or(|end| end <= context.now) {
            return Err(Failure::silent(Code::ExpiredImportToken));
        }
        let algorithms = WrappingAlgorithm::ALL.iter();
        let algorithm = algorithms
            .copied()
            .find(|algorithm| algorithm.as_str() == self.algorithm)
            .ok_or_else(|| Failure::silent(Code::InvalidImportToken))?;
        Ok(crypto::unwrap(algorithm, &self.secret.0, wrapped)?)
    }
}
