//! Aliases.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::model::{KeyId, Place};

use super::row::{noun, time};

type Sql<T> = Result<T, rusqlite::Error>;

/// One alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub name: String,
    pub target: KeyId,
    pub created: Timestamp,
    pub updated: Timestamp,
}

fn read(row: &Row<'_>) -> Sql<Alias> {
    Ok(Alias {
        name: row.get(0)?,
        target: noun(row, 1)?,
        created: time(row, 2)?,
        updated: time(row, 3)?,
    })
}

/// The row of the key that an alias leads to.
pub(crate) fn target(connection: &Connection, place: &Place, name: &str) -> Sql<Option<i64>> {
    let sql = "SELECT key FROM aliases WHERE account = ?1 AND region = ?2 AND name = ?3";
    let (account, region) = (place.account.as_str(), place.region.as_str());
    let whole = format!("{account}/{region}/{name}");
    let memory = &connection.memory.alias_targets;
    memory.recall(connection, whole, |_| {
        connection
            .prepare_cached(sql)?
            .query_row(params![account, region, name], |row| row.get(0))
            .optional()
    })
}

/// Adds an alias.
pub(crate) fn insert(
    connection: &Connection,
    place: &Place,
    name: &str,
    key: i64,
    now: Timestamp,
) -> Sql<()> {
    let sql = "INSERT INTO aliases (account, region, name, key, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
    let (account, region) = (place.account.as_str(), place.region.as_str());
    let values = params![account, region, name, key, now.as_millisecond()];
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// Points an alias at another key.
pub(crate) fn update(
    connection: &Connection,
    place: &Place,
    name: &str,
    key: i64,
    now: Timestamp,
) -> Sql<()> {
    let sql = "UPDATE aliases SET key = ?4, updated = ?5 WHERE account = ?1 AND region = ?2 AND name = ?3";
    let (account, region) = (place.account.as_str(), place.region.as_str());
    let values = params![account, region, name, key, now.as_millisecond()];
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// Removes an alias; false when there was none.
pub(crate) fn delete(connection: &Connection, place: &Place, name: &str) -> Sql<bool> {
    connection
        .prepare_cached("DELETE FROM aliases WHERE account = ?1 AND region = ?2 AND name = ?3")?
        .execute(params![place.account.as_str(), place.region.as_str(), name])
        .map(|count| count > 0)
}

/// How many aliases lead to a key.
pub(crate) fn count(connection: &Connection, key: i64) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM aliases WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}

/// A place's aliases after a name.
pub(crate) fn after(
    connection: &Connection,
    place: &Place,
    after: &str,
    limit: u32,
) -> Sql<Vec<Alias>> {
    connection
        .prepare_cached(
            "SELECT a.name, k.id, a.created, a.updated FROM aliases a JOIN keys k ON k.row = a.key \
             WHERE a.account = ?1 AND a.region = ?2 AND a.name > ?3 ORDER BY a.name LIMIT ?4",
        )?
        .query_map(
            params![place.account.as_str(), place.region.as_str(), after, limit],
            read,
        )?
        .collect()
}

/// A key's aliases after a name.
pub(crate) fn of_key_after(
    connection: &Connection,
    key: i64,
    after: &str,
    limit: u32,
) -> Sql<Vec<Alias>> {
    connection
        .prepare_cached(
            "SELECT a.name, k.id, a.created, a.updated FROM aliases a JOIN keys k ON k.row = a.key \
             WHERE a.key = ?1 AND a.name > ?2 ORDER BY a.name LIMIT ?3",
        )?
        .query_map(params![key, after, limit], read)?
        .collect()
}
