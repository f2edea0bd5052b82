//! `EnableKey` and `DisableKey`.

use serde::Deserialize;

use crate::engine::store::keys;
use crate::engine::wire::{Check, Failure};
use crate::model::Operation;

use super::{Context, find_key};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
}

pub(super) fn enable(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    turn(context, input, Operation::EnableKey)
}

pub(super) fn disable(context: &Context<'_>, input: &Input) -> Result<(), Failure> {
    turn(context, input, Operation::DisableKey)
}

fn turn(context: &Context<'_>, input: &Input, operation: Operation) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    let enabled = operation == Operation::EnableKey;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, operation)?;
        keys::set_enabled(connection, key.row, enabled)?;
        // A rotation that fell due meanwhile happens now, and the next one a period later.
        if let Some(rotation) = key
            .rotation
            .filter(|rotation| enabled && !key.enabled && rotation.next <= context.now)
        {
            let rotation = keys::Rotation {
                next: context.now,
                ..rotation
            };
            keys::set_rotation(connection, key.row, Some(rotation))?;
        }
        Ok(())
    })
}
