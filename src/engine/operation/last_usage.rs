//! `GetKeyLastUsage`, and the noting of uses that it answers from.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::store::keys::{self, Key, Use};
use crate::engine::wire::{Check, Failure, Seconds};
use crate::model::Operation;

use super::{Context, find_key};

/// When KMS began to track uses, 2026-04-23, in seconds of the epoch.
const TRACKING_START: i64 = 1_776_902_400;
/// How old an answer may be; KMS Developer Guide, "Determine past usage of a KMS key".
const LAG: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
    key_last_usage: LastUsage,
    tracking_start_date: Seconds,
    key_creation_date: Seconds,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_request_id: Option<String>,
}

pub(super) fn last_usage(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    let (key, last) = context.read(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::GetKeyLastUsage)?;
        let last = keys::last_use(connection, key.row)?;
        Ok((key, last))
    })?;
    let start =
        Timestamp::from_second(TRACKING_START).map_err(|error| Failure::internal(&error))?;
    let usage = last.map(|last| LastUsage {
        operation: Some(last.operation),
        timestamp: Some(last.time.into()),
        kms_request_id: Some(last.request),
    });
    Ok(Output {
        key_id: key.arn.id.to_string(),
        key_last_usage: usage.unwrap_or_default(),
        tracking_start_date: start.into(),
        key_creation_date: key.created.into(),
    })
}

/// Notes a use, unless one within the lag is noted already: most uses cost no write.
pub(super) fn note(
    context: &Context<'_>,
    key: &Key,
    operation: impl fmt::Display,
) -> Result<(), Failure> {
    if key
        .used
        .is_some_and(|used| context.now.duration_since(used) < LAG)
    {
        return Ok(());
    }
    let last = Use {
        time: context.now,
        operation: operation.to_string(),
        request: context.request_id.to_owned(),
    };
    context.write(|connection| Ok(keys::set_use(connection, key.row, &last)?))
}
