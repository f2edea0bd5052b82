//! Key material, sealed under the master key.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

type Sql<T> = Result<T, rusqlite::Error>;

/// One piece of a key's material.
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

fn read(row: &Row<'_>) -> Sql<StoredMaterial> {
    Ok(StoredMaterial {
        key: row.get(0)?,
        id: row.get(1)?,
        sealed: row.get(2)?,
        public: row.get(3)?,
        created: super::row::time(row, 4)?,
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

/// Finds a key's material by its id.
pub(crate) fn find(connection: &Connection, key: i64, id: &str) -> Sql<Option<StoredMaterial>> {
    connection
        .prepare_cached(
            "SELECT key, id, sealed, public, created FROM key_material WHERE id = ?1 AND key = ?2",
        )?
        .query_row(params![id, key], read)
        .optional()
}

/// The key in a Region, of whatever account, that has some material.
pub(crate) fn key_with(connection: &Connection, region: &str, id: &str) -> Sql<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT keys.row FROM key_material JOIN keys ON keys.row = key_material.key \
             WHERE key_material.id = ?1 AND keys.region = ?2",
        )?
        .query_row(params![id, region], |row| row.get(0))
        .optional()
}
