//! What time alone does: deletions, rotations, expiries and ends of transitions that have fallen due.
//!
//! Nothing runs in the background; each request first sees to it that what is due has happened.

use crate::engine::store::Connection;
use jiff::{SignedDuration, Timestamp};

use crate::engine::crypto;
use crate::engine::entropy;
use crate::engine::store::deadlines;
use crate::engine::store::keys::{self, Key, MultiRegion, Rotation};
use crate::engine::store::material::{self, StoredMaterial};
use crate::engine::store::rotations::{self, RotationKind};
use crate::engine::wire::Failure;

use super::{Context, imported, key_store_connection};

/// How long a state lasts that ends by itself; in AWS, some seconds to minutes.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// When a transition ends that starts now.
pub(super) fn end_of_transition(context: &Context<'_>) -> Result<Timestamp, Failure> {
    context
        .now
        .checked_add(MOMENT)
        .map_err(|error| Failure::internal(&error))
}

/// Makes everything happen that is due by now.
pub(super) fn settle(context: &Context<'_>, connection: &Connection) -> Result<(), Failure> {
    if !deadlines::passed(connection, context.now)? {
        return Ok(());
    }
    keys::delete_due(connection, context.now)?;
    keys::end_transitions(connection, context.now)?;
    key_store_connection::settle(context, connection)?;
    for (row, id) in material::expired(connection, context.now)? {
        imported::take_away(connection, &keys::at(connection, row)?, &id)?;
    }
    for key in keys::rotation_due(connection, context.now)? {
        catch_up(context, connection, &key)?;
    }
    Ok(deadlines::forget(connection, context.now)?)
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

/// Gives a key and its replicas new material; the old keeps decrypting.
pub(super) fn rotate(
    context: &Context<'_>,
    connection: &Connection,
    key: &Key,
    kind: RotationKind,
    date: Timestamp,
) -> Result<(), Failure> {
    let fresh = crypto::generate(key.kind.spec, context.entropy)?;
    let mut stored = seal(context, key.row, random_id(context)?, &fresh)?;
    for row in rows_of_all(connection, key)? {
        stored.key = row;
        material::insert(connection, &stored)?;
        rotations::insert(connection, row, &stored.id, kind, date)?;
        keys::set_material(connection, row, &stored.id)?;
    }
    Ok(())
}

/// The rows of a key and, where it is a primary, of its replicas.
pub(super) fn rows_of_all(connection: &Connection, key: &Key) -> Result<Vec<i64>, Failure> {
    if key.multi_region != Some(MultiRegion::Primary) {
        return Ok(vec![key.row]);
    }
    let related = keys::related(connection, key)?;
    Ok(related.iter().map(|key| key.row).collect())
}

/// Seals material into the store and gives its id.
pub(super) fn add_material(
    context: &Context<'_>,
    connection: &Connection,
    key: i64,
    fresh: &crypto::Material,
) -> Result<String, Failure> {
    let stored = seal(context, key, random_id(context)?, fresh)?;
    material::insert(connection, &stored)?;
    Ok(stored.id)
}

/// Seals material.
pub(super) fn seal(
    context: &Context<'_>,
    key: i64,
    id: String,
    fresh: &crypto::Material,
) -> Result<StoredMaterial, Failure> {
    let master = &context.database.master;
    Ok(StoredMaterial {
        key,
        sealed: master.seal(&fresh.secret, &id, context.entropy)?,
        id,
        public: fresh.public.clone(),
        created: context.now,
    })
}

fn random_id(context: &Context<'_>) -> Result<String, Failure> {
    Ok(entropy::hex(&entropy::bytes::<32>(context.entropy)?))
}
