//! What time alone does to keys: deletions and automatic rotations that have fallen due.
//!
//! Nothing runs in the background; each request first sees to it that what is due has happened.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use crate::engine::crypto;
use crate::engine::entropy;
use crate::engine::store::keys::{self, Key, Rotation};
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::store::rotations::{self, RotationKind};
use crate::engine::wire::Failure;

use super::Context;

/// Makes everything happen that is due by now.
pub(super) fn settle(context: &Context<'_>, connection: &Connection) -> Result<(), Failure> {
    if !keys::anything_due(connection, context.now)? {
        return Ok(());
    }
    keys::delete_due(connection, context.now)?;
    for key in keys::rotation_due(connection, context.now)? {
        catch_up(context, connection, &key)?;
    }
    Ok(())
}

/// Rotates a key as often as its schedule says.
fn catch_up(context: &Context<'_>, connection: &Connection, key: &Key) -> Result<(), Failure> {
    let Some(Rotation { period, mut next }) = key.rotation else {
        return Ok(());
    };
    while next <= context.now {
        rotate(context, connection, key, RotationKind::Automatic, next)?;
        next = next
            .checked_add(SignedDuration::from_hours(24 * i64::from(period.days())))
            .map_err(|error| Failure::internal(&error))?;
    }
    Ok(keys::set_rotation(
        connection,
        key.row,
        Some(Rotation { period, next }),
    )?)
}

/// Gives a key new material; the old keeps decrypting.
pub(super) fn rotate(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    kind: RotationKind,
    date: Timestamp,
) -> Result<(), Failure> {
    let fresh = crypto::generate(key.kind.spec, context.entropy)
        .map_err(|error| Failure::internal(&error))?;
    let id = add_material(context, connection, key.row, &fresh)?;
    rotations::insert(connection, key.row, &id, kind, date)?;
    Ok(keys::set_material(connection, key.row, &id)?)
}

/// Seals material into the store and gives its id.
pub(super) fn add_material(
    context: &Context<'_>,
    connection: &Connection,
    key: i64,
    fresh: &crypto::Material,
) -> Result<String, Failure> {
    let id = entropy::hex(&entropy::bytes::<32>(context.entropy)?);
    let sealed = context
        .database
        .master
        .seal(&fresh.secret, &id, context.entropy)?;
    let stored = StoredMaterial {
        key,
        id,
        sealed,
        public: fresh.public.clone(),
        created: context.now,
    };
    material::insert(connection, &stored)?;
    Ok(stored.id)
}
