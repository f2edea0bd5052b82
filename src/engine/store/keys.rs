//! Keys, without the rows that hang on them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::engine::wire::words;
use crate::model::{KeyArn, KeyId, KeyState, KeyType, Origin, Place, RotationPeriod};

use super::row::{noun, optional_time, optional_word, time};

type Sql<T> = Result<T, rusqlite::Error>;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

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
    /// Its part in a multi-Region key.
    pub multi_region: Option<MultiRegion>,
    /// How many days it will wait for its deletion once its last replica is gone.
    pub deletion_window: Option<i64>,
    /// What it is in the middle of.
    pub transition: Option<Transition>,
    /// The id of the custom key store that it is in.
    pub store: Option<String>,
    /// The key of the external key manager that it stands for.
    pub external_id: Option<String>,
    /// False while its key store is disconnected.
    pub available: bool,
    /// False while material that it needs is not there.
    pub complete: bool,
}

words! {
    /// A key's part in a multi-Region key.
    MultiRegion {
        Primary = "PRIMARY",
        Replica = "REPLICA",
    }
}

words! {
    /// A state that ends by itself.
    Transition {
        Creating = "Creating",
        Updating = "Updating",
    }
}

/// A schedule of automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub period: RotationPeriod,
    pub next: Timestamp,
}

/// When a key is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    None,
    At(Timestamp),
    /// Some days after the last replica is gone.
    AfterReplicas(i64),
}

/// The last use of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub time: Timestamp,
    pub operation: String,
    pub request: String,
}

impl Key {
    /// True when answers name the key's material.
    pub(crate) fn shows_material(&self) -> bool {
        self.kind.is_symmetric() && self.store.is_none()
    }

    /// The state that the parts add up to.
    pub(crate) fn state(&self) -> KeyState {
        if self.deletion.is_some() {
            KeyState::PendingDeletion
        } else if self.deletion_window.is_some() {
            KeyState::PendingReplicaDeletion
        } else if let Some(transition) = self.transition {
            match transition {
                Transition::Creating => KeyState::Creating,
                Transition::Updating => KeyState::Updating,
            }
        } else if !self.available {
            KeyState::Unavailable
        } else if !self.complete {
            KeyState::PendingImport
        } else if self.enabled {
            KeyState::Enabled
        } else {
            KeyState::Disabled
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT row, account, region, id, description, spec, usage, origin, enabled, created, deletion, \
             rotation_period, rotation_next, material, used, multi_region, deletion_window, transition, key_store, \
             xks_key, available, complete FROM keys ",
            $rest
        )
    };
}

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
        multi_region: optional_word(row, 15, MultiRegion::ALL, MultiRegion::as_str)?,
        deletion_window: row.get(16)?,
        transition: optional_word(row, 17, Transition::ALL, Transition::as_str)?,
        store: row.get(18)?,
        external_id: row.get(19)?,
        available: row.get(20)?,
        complete: row.get(21)?,
    })
}

/// Finds a key by its place and id.
pub(crate) fn find(connection: &Connection, arn: &KeyArn) -> Sql<Option<Key>> {
    let memory = &connection.memory.keys;
    memory.recall(connection, arn.clone(), |arn| {
        look_up(connection, &arn.place, arn.id.as_str())
    })
}

fn look_up(connection: &Connection, place: &Place, id: &str) -> Sql<Option<Key>> {
    connection
        .prepare_cached(select!("WHERE account = ?1 AND region = ?2 AND id = ?3"))?
        .query_row(
            params![place.account.as_str(), place.region.as_str(), id],
            read,
        )
        .optional()
}

/// Finds a key by its row.
pub(crate) fn at(connection: &Connection, row: i64) -> Sql<Key> {
    connection.memory.rows.recall(connection, row, |row| {
        connection
            .prepare_cached(select!("WHERE row = ?1"))?
            .query_row([row], read)
    })
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

/// Adds a key and gives its row; a transition ends at a time.
pub(crate) fn insert(
    connection: &Connection,
    key: &Key,
    transition_end: Option<Timestamp>,
) -> Sql<i64> {
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
        multi_region,
        deletion_window: _,
        transition,
        store,
        external_id,
        available,
        complete,
    } = key;
    connection
        .prepare_cached(
            "INSERT INTO keys (account, region, id, description, spec, usage, origin, enabled, created, material, \
             multi_region, transition, transition_end, key_store, xks_key, available, complete) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
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
            multi_region.map(MultiRegion::as_str),
            transition.map(Transition::as_str),
            transition_end.map(Timestamp::as_millisecond),
            store,
            external_id,
            available,
            complete,
        ])
}

/// Turns the switch.
pub(crate) fn set_enabled(connection: &Connection, row: i64, enabled: bool) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET enabled = ?2 WHERE row = ?1")?
        .execute(params![row, enabled])
        .map(|_| ())
}

/// Sets the time of deletion; either way the key is switched off.
pub(crate) fn set_deletion(connection: &Connection, row: i64, deletion: Deletion) -> Sql<()> {
    let (time, window) = match deletion {
        Deletion::None => (None, None),
        Deletion::At(time) => (Some(time.as_millisecond()), None),
        Deletion::AfterReplicas(days) => (None, Some(days)),
    };
    connection
        .prepare_cached(
            "UPDATE keys SET deletion = ?2, deletion_window = ?3, enabled = 0 WHERE row = ?1",
        )?
        .execute(params![row, time, window])
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

/// Deletes the keys whose time has come. The last replica's end starts the wait of its primary.
pub(crate) fn delete_due(connection: &Connection, now: Timestamp) -> Sql<()> {
    let now = now.as_millisecond();
    loop {
        let replicas = connection
            .prepare_cached(
                "SELECT account, id, max(deletion) FROM keys \
                 WHERE deletion <= ?1 AND multi_region = 'REPLICA' GROUP BY account, id",
            )?
            .query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Sql<Vec<(String, String, i64)>>>()?;
        let deleted = connection
            .prepare_cached("DELETE FROM keys WHERE deletion <= ?1")?
            .execute([now])?;
        if deleted == 0 {
            return Ok(());
        }
        for (account, id, time) in replicas {
            connection
                .prepare_cached(
                    "UPDATE keys SET deletion = ?3 + deletion_window * ?4, deletion_window = NULL \
                     WHERE account = ?1 AND id = ?2 AND deletion_window IS NOT NULL AND NOT EXISTS (SELECT 1 FROM keys \
                     WHERE account = ?1 AND id = ?2 AND multi_region = 'REPLICA')",
                )?
                .execute(params![account, id, time, DAY])?;
        }
    }
}

/// Ends the transitions whose time has come.
pub(crate) fn end_transitions(connection: &Connection, now: Timestamp) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE keys SET transition = NULL, transition_end = NULL WHERE transition_end <= ?1",
        )?
        .execute([now.as_millisecond()])
        .map(|_| ())
}

/// The keys that are to be rotated.
pub(crate) fn rotation_due(connection: &Connection, now: Timestamp) -> Sql<Vec<Key>> {
    connection
        .prepare_cached(select!(
            "WHERE rotation_next <= ?1 AND enabled = 1 AND deletion IS NULL AND deletion_window IS NULL"
        ))?
        .query_map([now.as_millisecond()], read)?
        .collect()
}

/// The keys of a multi-Region key, by Region; a single-Region key has no relatives.
pub(crate) fn related(connection: &Connection, key: &Key) -> Sql<Vec<Key>> {
    if key.multi_region.is_none() {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(select!(
            "WHERE account = ?1 AND id = ?2 AND multi_region IS NOT NULL ORDER BY region"
        ))?
        .query_map(
            params![key.arn.place.account.as_str(), key.arn.id.as_str()],
            read,
        )?
        .collect()
}

/// Gives a key another part in its multi-Region key, and marks it as updating until a time.
pub(crate) fn set_multi_region(
    connection: &Connection,
    row: i64,
    part: MultiRegion,
    end: Timestamp,
) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE keys SET multi_region = ?2, transition = ?3, transition_end = ?4 WHERE row = ?1",
        )?
        .execute(params![
            row,
            part.as_str(),
            Transition::Updating.as_str(),
            end.as_millisecond()
        ])
        .map(|_| ())
}

/// How many keys are in a key store.
pub(crate) fn count_in_store(connection: &Connection, store: &str) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM keys WHERE key_store = ?1")?
        .query_row([store], |row| row.get(0))
}

/// True when a key of a key store stands for an external key.
pub(crate) fn is_xks_key_used(connection: &Connection, store: &str, xks_key: &str) -> Sql<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM keys WHERE key_store = ?1 AND xks_key = ?2)")?
        .query_row([store, xks_key], |row| row.get(0))
}

/// Makes the keys of a key store available, or not.
pub(crate) fn set_available(connection: &Connection, store: &str, available: bool) -> Sql<()> {
    connection
        .prepare_cached("UPDATE keys SET available = ?2 WHERE key_store = ?1")?
        .execute(params![store, available])
        .map(|_| ())
}
