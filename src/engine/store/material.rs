//! Key material, sealed under the master key.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::row::{optional_time, time};
use crate::engine::store::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// One piece of a key's material that is there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredMaterial {
    /// The key's row.
    pub key: i64,
    pub id: String,
    /// The secret part, sealed.
    pub sealed: Vec<u8>,
    /// The public part, as a `SubjectPublicKeyInfo`.
    pub public: Option<Vec<u8>>,
    pub created: Timestamp,
}

/// What is known of a piece of material besides its secret, which may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub id: String,
    /// False for imported material that was deleted or has expired.
    pub present: bool,
    /// True until a rotation on demand makes it the current one.
    pub pending: bool,
    /// When imported material expires.
    pub valid_to: Option<Timestamp>,
    pub description: Option<String>,
}

fn read(row: &Row<'_>) -> Sql<StoredMaterial> {
    Ok(StoredMaterial {
        key: row.get(0)?,
        id: row.get(1)?,
        sealed: row.get(2)?,
        public: row.get(3)?,
        created: time(row, 4)?,
    })
}

/// Reads a piece from the five columns after one.
pub(super) fn read_piece(row: &Row<'_>, first: usize) -> Sql<Piece> {
    Ok(Piece {
        id: row.get(first)?,
        present: row.get(first + 1)?,
        pending: row.get(first + 2)?,
        valid_to: optional_time(row, first + 3)?,
        description: row.get(first + 4)?,
    })
}

/// Adds a piece of material.
pub(crate) fn insert(connection: &Connection, material: &StoredMaterial) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO key_material (key, id, sealed, public, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            material.key,
            material.id,
            material.sealed,
            material.public,
            material.created.as_millisecond(),
        ])
        .map(|_| ())
}

/// Finds a key's material by its id, if it is there.
pub(crate) fn find(connection: &Connection, key: i64, id: &str) -> Sql<Option<StoredMaterial>> {
    let sql = "SELECT key, id, sealed, public, created FROM key_material \
               WHERE id = ?1 AND key = ?2 AND sealed IS NOT NULL";
    let memory = &connection.memory.material;
    memory.recall(connection, (key, id.to_owned()), |_| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row(params![id, key], read).optional()
    })
}

/// The key in a Region, of whatever account, that some material belongs to.
pub(crate) fn key_with(connection: &Connection, region: &str, id: &str) -> Sql<Option<i64>> {
    let sql = "SELECT keys.row FROM key_material JOIN keys ON keys.row = key_material.key \
               WHERE key_material.id = ?1 AND keys.region = ?2";
    let memory = &connection.memory.material_keys;
    memory.recall(connection, (region.to_owned(), id.to_owned()), |_| {
        let mut statement = connection.prepare_cached(sql)?;
        statement
            .query_row(params![id, region], |row| row.get(0))
            .optional()
    })
}

/// All of a key's pieces, in the order in which they came.
pub(crate) fn pieces(connection: &Connection, key: i64) -> Sql<Vec<Piece>> {
    connection
        .prepare_cached(
            "SELECT id, sealed IS NOT NULL, pending, valid_to, description FROM key_material \
             WHERE key = ?1 ORDER BY row",
        )?
        .query_map([key], |row| read_piece(row, 0))?
        .collect()
}

/// Associates material with a key without putting it there.
pub(crate) fn associate(
    connection: &Connection,
    key: i64,
    id: &str,
    pending: bool,
    now: Timestamp,
) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO key_material (key, id, pending, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![key, id, pending, now.as_millisecond()])
        .map(|_| ())
}

/// Puts imported material into its place, with the time until which it is to be there.
pub(crate) fn fill(
    connection: &Connection,
    material: &StoredMaterial,
    valid_to: Option<Timestamp>,
    description: Option<&str>,
) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE key_material SET sealed = ?3, public = ?4, valid_to = ?5, description = ifnull(?6, description) \
             WHERE key = ?1 AND id = ?2",
        )?
        .execute(params![
            material.key,
            material.id,
            material.sealed,
            material.public,
            valid_to.map(Timestamp::as_millisecond),
            description,
        ])
        .map(|_| ())
}

/// Takes imported material away; its key still needs it.
pub(crate) fn empty(connection: &Connection, key: i64, id: &str) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE key_material SET sealed = NULL, valid_to = NULL WHERE key = ?1 AND id = ?2",
        )?
        .execute(params![key, id])
        .map(|_| ())
}

/// Ends the association of material with a key.
pub(crate) fn remove(connection: &Connection, key: i64, id: &str) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM key_material WHERE key = ?1 AND id = ?2")?
        .execute(params![key, id])
        .map(|_| ())
}

/// Makes pending material one that the key needs.
pub(crate) fn settle(connection: &Connection, key: i64, id: &str) -> Sql<()> {
    connection
        .prepare_cached("UPDATE key_material SET pending = 0 WHERE key = ?1 AND id = ?2")?
        .execute(params![key, id])
        .map(|_| ())
}

/// Keys and their material whose time is over.
pub(crate) fn expired(connection: &Connection, now: Timestamp) -> Sql<Vec<(i64, String)>> {
    connection
        .prepare_cached("SELECT key, id FROM key_material WHERE valid_to <= ?1")?
        .query_map([now.as_millisecond()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Finds out whether all that a key needs is there.
pub(crate) fn note_completeness(connection: &Connection, key: i64) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE keys SET complete = \
             EXISTS (SELECT 1 FROM key_material WHERE key = ?1 AND pending = 0) AND NOT EXISTS \
             (SELECT 1 FROM key_material WHERE key = ?1 AND pending = 0 AND sealed IS NULL) WHERE row = ?1",
        )?
        .execute([key])
        .map(|_| ())
}
