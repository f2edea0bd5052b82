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

/// A key's policy.
pub(crate) fn get(connection: &Connection, key: i64) -> Sql<String> {
    connection
        .prepare_cached("SELECT text FROM policies WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}
