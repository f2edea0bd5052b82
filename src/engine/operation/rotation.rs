//! `EnableKeyRotation`, `DisableKeyRotation` and `GetKeyRotationStatus`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::engine::store::keys::{self, Key, MultiRegion, Rotation};
use crate::engine::wire::{Check, Code, Failure, Seconds};
use crate::model::{KeyState, Operation, RotationPeriod};

use super::{Context, find_key, replicate};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EnableInput {
    key_id: Option<String>,
    rotation_period_in_days: Option<i64>,
}

pub(super) fn enable(context: &Context<'_>, input: &EnableInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.range(
        "rotationPeriodInDays",
        input.rotation_period_in_days,
        &(90..=2560),
    );
    check.finish()?;
    let period = match input.rotation_period_in_days {
        Some(days) => RotationPeriod::from_days(days).map_err(|error| Failure::internal(&error))?,
        None => RotationPeriod::DEFAULT,
    };
    let next = context
        .now
        .checked_add(SignedDuration::from_hours(24 * i64::from(period.days())))
        .map_err(|error| Failure::internal(&error))?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::EnableKeyRotation)?;
        check_key(&key)?;
        let rotation = Rotation { period, next };
        Ok(keys::set_rotation(connection, key.row, Some(rotation))?)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyInput {
    key_id: Option<String>,
}

pub(super) fn disable(context: &Context<'_>, input: &KeyInput) -> Result<(), Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::DisableKeyRotation)?;
        check_key(&key)?;
        Ok(keys::set_rotation(connection, key.row, None)?)
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatusOutput {
    key_id: String,
    key_rotation_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Seconds>,
}

pub(super) fn status(context: &Context<'_>, input: &KeyInput) -> Result<StatusOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    let (key, rotation) = context.read(|connection| {
        let operation = Operation::GetKeyRotationStatus;
        let key = find_key::find(context, connection, key_id, operation)?;
        let related = keys::related(connection, &key)?;
        let primary = related
            .iter()
            .find(|key| key.multi_region == Some(MultiRegion::Primary));
        let rotation = primary.unwrap_or(&key).rotation;
        Ok((key, rotation))
    })?;
    // A key that waits for its deletion shows no rotation, and shows it again when that is cancelled.
    let waits = matches!(
        key.state(),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion
    );
    let rotation = rotation.filter(|_| !waits);
    Ok(StatusOutput {
        key_id: key.arn.to_string(),
        key_rotation_enabled: rotation.is_some(),
        rotation_period_in_days: rotation.map(|rotation| rotation.period.days()),
        next_rotation_date: rotation.map(|rotation| rotation.next.into()),
    })
}

/// Only some types rotate, and a multi-Region key does where its primary is.
fn check_key(key: &Key) -> Result<(), Failure> {
    if key.multi_region == Some(MultiRegion::Replica) {
        return Err(replicate::not_primary(key));
    }
    if key.kind.rotates(key.origin) {
        Ok(())
    } else {
        Err(Failure::silent(Code::UnsupportedOperation))
    }
}
