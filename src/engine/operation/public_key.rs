//! `GetPublicKey`.

use serde::{Deserialize, Serialize};

use crate::engine::wire::{Blob, Check, Code, Failure};
use crate::model::Operation;

use super::metadata::{self, AlgorithmLists};
use super::{Context, find_key, grant_members, key_use};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    grant_tokens: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
    public_key: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_master_key_spec: Option<&'static str>,
    key_spec: &'static str,
    key_usage: &'static str,
    #[serde(flatten)]
    algorithms: AlgorithmLists,
}

pub(super) fn get(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    let (key, stored) = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::GetPublicKey)?;
        if !key.kind.is_asymmetric() {
            return Err(Failure::new(
                Code::UnsupportedOperation,
                format!(
                    "{} key spec is {} which is not valid for GetPublicKey.",
                    key.arn, key.kind.spec
                ),
            ));
        }
        let stored = key_use::current(connection, &key)?;
        Ok((key, stored))
    })?;
    Ok(Output {
        key_id: key.arn.to_string(),
        public_key: Blob(key_use::public(&stored).to_vec()),
        customer_master_key_spec: metadata::master_key_spec(key.kind.spec),
        key_spec: key.kind.spec.as_str(),
        key_usage: key.kind.usage.as_str(),
        algorithms: AlgorithmLists::of(key.kind),
    })
}
