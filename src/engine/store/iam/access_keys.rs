//! Long-lived access keys.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::engine::store::row::{noun, time};
use crate::model::{AccountId, Partition};

use super::entities::{self, Entity};

type Sql<T> = Result<T, rusqlite::Error>;

/// A long-lived access key of a user or of an account's root user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub id: String,
    pub partition: Partition,
    pub account: AccountId,
    /// The user; `None` for the root user.
    pub entity: Option<i64>,
    pub sealed: Vec<u8>,
    pub is_active: bool,
    pub created: Timestamp,
}

fn read(row: &Row<'_>) -> Sql<StoredKey> {
    Ok(StoredKey {
        id: row.get(0)?,
        partition: noun(row, 1)?,
        account: noun(row, 2)?,
        entity: row.get(3)?,
        sealed: row.get(4)?,
        is_active: row.get(5)?,
        created: time(row, 6)?,
    })
}

const COLUMNS: &str =
    "SELECT id, partition, account, entity, sealed, active, created FROM iam_access_keys";

/// Finds an access key.
pub(crate) fn find(connection: &Connection, id: &str) -> Sql<Option<StoredKey>> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// An access key and the user whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub key: StoredKey,
    pub user: Option<Entity>,
}

/// Finds an access key with its user.
pub(crate) fn holder(connection: &Connection, id: &str) -> Sql<Option<Holder>> {
    let memory = &connection.memory.access_keys;
    memory.recall(connection, id.to_owned(), |id| {
        let Some(key) = find(connection, id)? else {
            return Ok(None);
        };
        let user = key.entity.map(|row| entities::at(connection, row));
        let user = user.transpose()?;
        Ok(Some(Holder { key, user }))
    })
}

/// The access keys of a user, or of the root user of an account.
pub(crate) fn of(
    connection: &Connection,
    account: AccountId,
    entity: Option<i64>,
) -> Sql<Vec<StoredKey>> {
    connection
        .prepare_cached(&format!(
            "{COLUMNS} WHERE account = ?1 AND entity IS ?2 ORDER BY created, id"
        ))?
        .query_map(params![account.as_str(), entity], read)?
        .collect()
}

/// Adds an access key.
pub(crate) fn insert(connection: &Connection, key: &StoredKey) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO iam_access_keys (id, partition, account, entity, sealed, active, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            key.id,
            key.partition.as_str(),
            key.account.as_str(),
            key.entity,
            key.sealed,
            key.is_active,
            key.created.as_millisecond(),
        ])
        .map(|_| ())
}

/// Makes an access key good or no good.
pub(crate) fn set_active(connection: &Connection, id: &str, is_active: bool) -> Sql<()> {
    connection
        .prepare_cached("UPDATE iam_access_keys SET active = ?2 WHERE id = ?1")?
        .execute(params![id, is_active])
        .map(|_| ())
}

/// Removes an access key.
pub(crate) fn delete(connection: &Connection, id: &str) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM iam_access_keys WHERE id = ?1")?
        .execute([id])
        .map(|_| ())
}
