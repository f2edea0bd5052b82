//! Policies that are part of a user, role or group.

use rusqlite::{OptionalExtension as _, params};

use crate::engine::store::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// Sets an inline policy.
pub(crate) fn put(connection: &Connection, entity: i64, name: &str, text: &str) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO iam_inline_policies (entity, name, text) VALUES (?1, ?2, ?3) \
             ON CONFLICT (entity, name) DO UPDATE SET text = ?3",
        )?
        .execute(params![entity, name, text])
        .map(|_| ())
}

/// An inline policy.
pub(crate) fn get(connection: &Connection, entity: i64, name: &str) -> Sql<Option<String>> {
    connection
        .prepare_cached("SELECT text FROM iam_inline_policies WHERE entity = ?1 AND name = ?2")?
        .query_row(params![entity, name], |row| row.get(0))
        .optional()
}

/// The texts of an entity's inline policies.
pub(crate) fn texts(connection: &Connection, entity: i64) -> Sql<Vec<String>> {
    connection
        .prepare_cached("SELECT text FROM iam_inline_policies WHERE entity = ?1")?
        .query_map([entity], |row| row.get(0))?
        .collect()
}

/// The names of an entity's inline policies after one of them.
pub(crate) fn names_after(
    connection: &Connection,
    entity: i64,
    after: &str,
    limit: i64,
) -> Sql<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT name FROM iam_inline_policies WHERE entity = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
        )?
        .query_map(params![entity, after, limit], |row| row.get(0))?
        .collect()
}

/// Removes an inline policy; false when there was none.
pub(crate) fn delete(connection: &Connection, entity: i64, name: &str) -> Sql<bool> {
    connection
        .prepare_cached("DELETE FROM iam_inline_policies WHERE entity = ?1 AND name = ?2")?
        .execute(params![entity, name])
        .map(|count| count > 0)
}

/// Every policy in force for an entity and its groups: the inline ones, then those of the account that are attached.
pub(crate) fn in_force(connection: &Connection, entity: i64) -> Sql<Vec<String>> {
    connection
        .prepare_cached(
            "WITH holders (row) AS (SELECT ?1 UNION SELECT team FROM iam_members WHERE member = ?1) \
             SELECT text FROM iam_inline_policies WHERE entity IN holders \
             UNION ALL SELECT v.text FROM iam_policies p \
             JOIN iam_policy_versions v ON v.policy = p.row AND v.version = p.in_force \
             WHERE p.arn IN (SELECT policy FROM iam_attachments WHERE entity IN holders)",
        )?
        .query_map([entity], |row| row.get(0))?
        .collect()
}
