//! `UpdateKeyDescription`.

use serde::Deserialize;

use crate::engine::store::keys;
use crate::engine::wire::{Check, Failure};
use crate::model::Operation;

use super::{Context, find_key};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
    description: Option<String>,
}

pub(super) fn update(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    let description = check.text("description", input.description.as_deref(), 0..=8192);
    check.finish()?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::UpdateKeyDescription)?;
        Ok(keys::set_description(connection, key.row, description)?)
    })
}
