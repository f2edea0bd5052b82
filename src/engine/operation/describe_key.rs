//! `DescribeKey`.

use serde::{Deserialize, Serialize};

use crate::engine::wire::{Check, Failure};
use crate::model::Operation;

use super::metadata::KeyMetadata;
use super::{Context, find_key, grant_members};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    grant_tokens: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_metadata: KeyMetadata,
}

pub(super) fn describe_key(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    grant_members::check_tokens(&mut check, input.grant_tokens.as_deref());
    check.finish()?;
    context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::DescribeKey)?;
        Ok(Output {
            key_metadata: KeyMetadata::of(connection, &key)?,
        })
    })
}
