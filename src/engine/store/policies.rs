//! Key policies, kept as the text that was put.

use crate::engine::store::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// Sets a key's policy.
pub(crate) fn put(connection: &Connection, key: i64, text: &str) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO policies (key, text) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET text = ?2",
        )?
        .execute(rusqlite::params![key, text])
        .map(|_| ())
}

/// The policies with a text in them, by their keys' rows.
pub(crate) fn with(connection: &Connection, text: &str) -> Sql<Vec<(i64, String)>> {
    connection
        .prepare_cached("SELECT key, text FROM policies WHERE instr(text, ?1) > 0")?
        .query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A key's policy.
pub(crate) fn get(connection: &Connection, key: i64) -> Sql<String> {
    connection
        .prepare_cached("SELECT text FROM policies WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}
