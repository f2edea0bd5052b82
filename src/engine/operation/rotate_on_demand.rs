//! `RotateKeyOnDemand`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::engine::store::rotations::{self, RotationKind};
use crate::engine::wire::{Check, Code, Failure};
use crate::model::Operation;

use super::{Context, find_key, settle};

/// How often a key can be rotated on demand in its life; KMS Developer Guide, "Resource quotas".
const MOST: i64 = 25;
/// How long before an automatic rotation there is none on demand; API reference, `ConflictException`.
const QUIET: SignedDuration = SignedDuration::from_mins(20);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    key_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    key_id: String,
}

pub(super) fn rotate_on_demand(context: &Context<'_>, input: &Input) -> Result<Output, Failure> {
    let mut check = Check::default();
    let key_id = check.key_id(input.key_id.as_deref());
    check.finish()?;
    context.write(|connection| {
        let key = find_key::find(context, connection, key_id, Operation::RotateKeyOnDemand)?;
        if !key.kind.is_symmetric() {
            return Err(Failure::silent(Code::UnsupportedOperation));
        }
        let next = key.rotation.map(|rotation| rotation.next);
        if next.is_some_and(|next| next.duration_since(context.now) <= QUIET) {
            return Err(Failure::new(
                Code::Conflict,
                format!("An automatic rotation is in progress or scheduled within 20 minutes for the key: {}", key.arn),
            ));
        }
        if rotations::count_on_demand(connection, key.row)? >= MOST {
            return Err(Failure::new(
                Code::LimitExceeded,
                format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations \
                     can be performed for this key: {}",
                    key.arn
                ),
            ));
        }
        settle::rotate(context, connection, &key, RotationKind::OnDemand, context.now)?;
        Ok(Output {
            key_id: key.arn.to_string(),
        })
    })
}
