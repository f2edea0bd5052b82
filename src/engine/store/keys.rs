//! Keys, without the rows that hang on them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::model::{KeyArn, KeyId, KeyState, KeyType, Origin, Place, RotationPeriod};

use super::row::{noun, optional_time, time};

type Sql<T> = Result<T, rusqlite::Error>;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its row, which its other rows refer to.
    pub row: i64,
    pub arn: KeyArn,
    pub description: String,
    pub kind: KeyType,
    pub origin: Origin,
    /// The switch; what it means depends on the rest of the state.
    pub enabled: bool,
    pub created: Timestamp,
    /// When it will be deleted, while that is pending.
    pub deletion: Option<Timestamp>,
    /// Automatic rotation, where it is on.
    pub rotation: Option<Rotation>,
    /// The id of the material that encrypts.
    pub material: Option<String>,
    /// When its use was last noted.
    pub used: Option<Timestamp>,
}

/// A schedule of automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub period: RotationPeriod,
    pub next: Timestamp,
}

/// The last use of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub time: Timestamp,
    pub operation: String,
    pub request: String,
}

impl Key {
    /// The state that the parts add up to.
    pub(crate) fn state(&self) -> KeyState {
        if self.deletion.is_some() {
            KeyState::PendingDeletion
        } else if self.material.is_none() {
            KeyState::PendingImport
        } else if self.enabled {
            KeyState::Enabled
        } else {
            KeyState::Disabled
        }
    }
}

const COLUMNS: &str = "row, account, region, id, description, spec, usage, origin, enabled, created, deletion, \
     rotation_period, rotation_next, material, used";

fn read(row: &Row<'_>) -> Sql<Key> {
    let place = Place {
        account: noun(row, 1)?,
        region: noun(row, 2)?,
    };
    let period: Option<i64> = row.get(11)?;
    let period = period.and_then(|days| RotationPeriod::from_days(days).ok());
    let rotation = period
        .zip(optional_time(row, 12)?)
        .map(|(period, next)| Rotation { period, next });
    Ok(Key {
        row: row.get(0)?,
        arn: KeyArn::new(place, noun(row, 3)?),
        description: row.get(4)?,
        kind: KeyType {
            spec: noun(row, 5)?,
            usage: noun(row, 6)?,
        },
        origin: noun(row, 7)?,
        enabled: row.get(8)?,
        created: time(row, 9)?,
        deletion: optional_time(row, 10)?,
        rotation,
        material: row.get(13)?,
        used: optional_time(row, 14)?,
    })
}

/// Finds a key by its place and id.
pub(crate) fn find(connection: &Connection, place: &Place, id: &str) -> Sql<Option<Key>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM keys WHERE account = ?1 AND region = ?2 AND id = ?3"
        ))?
        .query_row(
            params![place.account.as_str(), place.region.as_str(), id],
            read,
        )
        .optional()
}

/// Finds a key by its row.
pub(crate) fn at(connection: &Connection, row: i64) -> Sql<Key> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE row = ?1"))?
        .query_row([row], read)
}

/// The ids of a place's keys after one of them, in order.
pub(crate) fn ids_after(
    connection: &Connection,
    place: &Place,
    after: &str,
    limit: u32,
) -> Sql<Vec<KeyId>> {
    connection
        .prepare_cached(
            "SELECT id FROM keys WHERE account = ?1 AND region = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
        )?
        .query_map(
            params![place.account.as_str(), place.region.as_str(), after, limit],
            |row| noun(row, 0),
        )?
        .collect()
}

/// Adds a key and gives its row.
pub(crate) fn insert(connection: &Connection, key: &Key) -> Sql<i64> {
    let Key {
        row: _,
        arn,
        description,
        kind,
        origin,
        enabled,
        created,
        deletion: _,
        rotation: _,
        material,
        used: _,
    } = key;
    connection
        .prepare_cached(
            "INSERT INTO keys (account, region, id, description, spec, usage, origin, enabled, created, material) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .insert(params![
            arn.place.account.as_str(),
            arn.place.region.as_str(),
            arn.id.as_str(),
            description,
            kind.spec.as_str(),
            kind.usage.as_str(),
            origin.as_str(),
            enabled,
            created.as_millisecond(),
            material,
        ])
}

/// Turns the switch.
pub(crate) fn set_enabled(connection: &Connection, row: i64, enabled: bool) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET enabled = ?2 WHERE row = ?1")?
        .execute(params![row, enabled])
        .map(|_| ())
}

/// Sets or clears the time of deletion; either way the key is switched off.
pub(crate) fn set_deletion(
    connection: &Connection,
    row: i64,
    deletion: Option<Timestamp>,
) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET deletion = ?2, enabled = 0 WHERE row = ?1")?
        .execute(params![row, deletion.map(Timestamp::as_millisecond)])
        .map(|_| ())
}

/// Changes the description.
pub(crate) fn set_description(connection: &Connection, row: i64, description: &str) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET description = ?2 WHERE row = ?1")?
        .execute(params![row, description])
        .map(|_| ())
}

/// Sets or ends automatic rotation.
pub(crate) fn set_rotation(
    connection: &Connection,
    row: i64,
    rotation: Option<Rotation>,
) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET rotation_period = ?2, rotation_next = ?3 WHERE row = ?1")?
        .execute(params![
            row,
            rotation.map(|rotation| rotation.period.days()),
            rotation.map(|rotation| rotation.next.as_millisecond()),
        ])
        .map(|_| ())
}

/// Names the material that encrypts from now on.
pub(crate) fn set_material(connection: &Connection, row: i64, material: &str) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET material = ?2 WHERE row = ?1")?
        .execute(params![row, material])
        .map(|_| ())
}

/// Notes a use.
pub(crate) fn set_use(connection: &Connection, row: i64, last: &Use) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE keys SET used = ?2, used_operation = ?3, used_request = ?4 WHERE row = ?1",
        )?
        .execute(params![
            row,
            last.time.as_millisecond(),
            last.operation,
            last.request
        ])
        .map(|_| ())
}

/// The use that was last noted.
pub(crate) fn last_use(connection: &Connection, row: i64) -> Sql<Option<Use>> {
    connection
        .prepare_cached(
            "SELECT used, used_operation, used_request FROM keys WHERE row = ?1 AND used IS NOT NULL",
        )?
        .query_row([row], |row| {
            Ok(Use {
                time: time(row, 0)?,
                operation: row.get(1)?,
                request: row.get(2)?,
            })
        })
        .optional()
}

/// True when time alone has changed a key: its deletion or a rotation is due.
pub(crate) fn anything_due(connection: &Connection, now: Timestamp) -> Sql<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM keys WHERE deletion <= ?1) OR EXISTS (SELECT 1 FROM keys \
             WHERE rotation_next <= ?1 AND enabled = 1 AND deletion IS NULL)",
        )?
        .query_row([now.as_millisecond()], |row| row.get(0))
}

/// Deletes the keys whose time has come.
pub(crate) fn delete_due(connection: &Connection, now: Timestamp) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM keys WHERE deletion <= ?1")?
        .execute([now.as_millisecond()])
        .map(|_| ())
}

/// The keys that are to be rotated.
pub(crate) fn rotation_due(connection: &Connection, now: Timestamp) -> Sql<Vec<Key>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM keys WHERE rotation_next <= ?1 AND enabled = 1 AND deletion IS NULL"
        ))?
        .query_map([now.as_millisecond()], read)?
        .collect()
}
