//! Tags.

use rusqlite::params;

use crate::engine::store::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// Sets a tag.
pub(crate) fn put(connection: &Connection, key: i64, name: &str, value: &str) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO tags (key, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (key, name) DO UPDATE SET value = ?3",
        )?
        .execute(params![key, name, value])
        .map(|_| ())
}

/// Removes a tag, if it is there.
pub(crate) fn remove(connection: &Connection, key: i64, name: &str) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM tags WHERE key = ?1 AND name = ?2")?
        .execute(params![key, name])
        .map(|_| ())
}

/// How many tags a key has.
pub(crate) fn count(connection: &Connection, key: i64) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM tags WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}

/// A key's tags after one of them, by name.
pub(crate) fn after(
    connection: &Connection,
    key: i64,
    after: &str,
    limit: u32,
) -> Sql<Vec<(String, String)>> {
    connection
        .prepare_cached(
            "SELECT name, value FROM tags WHERE key = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
        )?
        .query_map(params![key, after, limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect()
}
