//! `RotateKeyOnDemand`.

use crate::engine::store::Connection;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::engine::store::keys::{self, Key, MultiRegion};
use crate::engine::store::material;
use crate::engine::store::rotations::{self, RotationKind};
use crate::engine::wire::{Check, Code, Failure};
use crate::model::{Operation, Origin};

use super::imported::{self, Progress};
use super::{Context, find_key, replicate, settle};

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
        if key.multi_region == Some(MultiRegion::Replica) {
            return Err(replicate::not_primary(&key));
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
        if key.origin == Origin::External {
            turn_to_pending(context, connection, &key)?;
        } else {
            settle::rotate(context, connection, &key, RotationKind::OnDemand, context.now)?;
        }
        Ok(Output {
            key_id: key.arn.to_string(),
        })
    })
}

/// Makes imported material current that waits for it.
fn turn_to_pending(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
) -> Result<(), Failure> {
    let Some((piece, Progress::Ready)) = imported::pending(connection, key)? else {
        return Err(Failure::new(
            Code::InvalidState,
            format!(
                "No available key material pending rotation for the key: {}.",
                key.arn
            ),
        ));
    };
    for row in settle::rows_of_all(connection, key)? {
        material::settle(connection, row, &piece.id)?;
        rotations::insert(
            connection,
            row,
            &piece.id,
            RotationKind::OnDemand,
            context.now,
        )?;
        keys::set_material(connection, row, &piece.id)?;
        material::note_completeness(connection, row)?;
    }
    Ok(())
}
