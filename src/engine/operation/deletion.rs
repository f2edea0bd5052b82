//! `ScheduleKeyDeletion` and `CancelKeyDeletion`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::engine::store::keys::{self, Deletion, MultiRegion};
use crate::engine::wire::{Check, Failure, Seconds};
use crate::model::{KeyState, Operation};

use super::{Context, find_key};

/// The waiting period when none is asked for, in days.
const DEFAULT_WINDOW: i64 = 30;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleInput {
    key_id: Option<String>,
    pending_window_in_days: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleOutput {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<Seconds>,
    key_state: &'static str,
    pending_window_in_days: i64,
}

pub(super) fn schedule(
    context: &Context<'_>,
    input: &ScheduleInput,
) -> Result<ScheduleOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.range(
        "pendingWindowInDays",
        input.pending_window_in_days,
        &(7..=30),
    );
    check.finish()?;
    let days = input.pending_window_in_days.unwrap_or(DEFAULT_WINDOW);
    let date = context
        .now
        .checked_add(SignedDuration::from_hours(24 * days))
        .map_err(|error| Failure::internal(&error))?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::ScheduleKeyDeletion)?;
        let related = keys::related(connection, &key)?;
        let waits = key.multi_region == Some(MultiRegion::Primary) && related.len() > 1;
        let (deletion, state) = if waits {
            let deletion = Deletion::AfterReplicas(days);
            (deletion, KeyState::PendingReplicaDeletion)
        } else {
            (Deletion::At(date), KeyState::PendingDeletion)
        };
        keys::set_deletion(connection, key.row, deletion)?;
        Ok(ScheduleOutput {
            key_id: key.arn.to_string(),
            deletion_date: (!waits).then(|| date.into()),
            key_state: state.as_str(),
            pending_window_in_days: days,
        })
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelInput {
    key_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelOutput {
    key_id: String,
}

pub(super) fn cancel(context: &Context<'_>, input: &CancelInput) -> Result<CancelOutput, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::CancelKeyDeletion)?;
        keys::set_deletion(connection, key.row, Deletion::None)?;
        Ok(CancelOutput {
            key_id: key.arn.to_string(),
        })
    })
}
