//! Managed policies, their versions, and what they are attached to.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::engine::store::row::time;
use crate::model::AccountId;

type Sql<T> = Result<T, rusqlite::Error>;

/// A managed policy of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Managed {
    pub row: i64,
    pub arn: String,
    pub name: String,
    pub path: String,
    pub id: String,
    pub description: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// The number of the default version.
    pub in_force: i64,
    /// The highest number that a version has had.
    pub newest: i64,
}

/// A version of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyVersion {
    pub number: i64,
    pub text: String,
    pub created: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT row, arn, name, path, id, description, created, updated, in_force, newest FROM iam_policies ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> Sql<Managed> {
    Ok(Managed {
        row: row.get(0)?,
        arn: row.get(1)?,
        name: row.get(2)?,
        path: row.get(3)?,
        id: row.get(4)?,
        description: row.get(5)?,
        created: time(row, 6)?,
        updated: time(row, 7)?,
        in_force: row.get(8)?,
        newest: row.get(9)?,
    })
}

fn read_version(row: &Row<'_>) -> Sql<PolicyVersion> {
    Ok(PolicyVersion {
        number: row.get(0)?,
        text: row.get(1)?,
        created: time(row, 2)?,
    })
}

/// Finds a policy by its ARN.
pub(crate) fn find(connection: &Connection, arn: &str) -> Sql<Option<Managed>> {
    connection
        .prepare_cached(select!("WHERE arn = ?1"))?
        .query_row([arn], read)
        .optional()
}

/// True when an account has a policy of that name, on whatever path.
pub(crate) fn is_named(connection: &Connection, account: AccountId, name: &str) -> Sql<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM iam_policies WHERE account = ?1 AND name = ?2)",
        )?
        .query_row(params![account.as_str(), name], |row| row.get(0))
}

/// An account's policies after a name, by name.
pub(crate) fn after(
    connection: &Connection,
    account: AccountId,
    after: &str,
    limit: i64,
) -> Sql<Vec<Managed>> {
    connection
        .prepare_cached(select!(
            "WHERE account = ?1 AND name > ?2 ORDER BY name LIMIT ?3"
        ))?
        .query_map(params![account.as_str(), after, limit], read)?
        .collect()
}

/// Adds a policy with its first version.
pub(crate) fn insert(
    connection: &Connection,
    account: AccountId,
    policy: &Managed,
    text: &str,
) -> Sql<()> {
    let Managed {
        row: _,
        arn,
        name,
        path,
        id,
        description,
        created,
        updated,
        in_force,
        newest,
    } = policy;
    let row = connection
        .prepare_cached(
            "INSERT INTO iam_policies (arn, account, name, path, id, description, created, updated, in_force, newest) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .insert(params![
            arn,
            account.as_str(),
            name,
            path,
            id,
            description,
            created.as_millisecond(),
            updated.as_millisecond(),
            in_force,
            newest,
        ])?;
    insert_version(connection, row, *newest, text, *created)
}

/// Adds a version.
pub(crate) fn insert_version(
    connection: &Connection,
    policy: i64,
    number: i64,
    text: &str,
    now: Timestamp,
) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO iam_policy_versions (policy, version, text, created) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![policy, number, text, now.as_millisecond()])
        .map(|_| ())
}

/// Notes which version is in force and which is the newest.
pub(crate) fn set_versions(
    connection: &Connection,
    policy: i64,
    in_force: i64,
    newest: i64,
    now: Timestamp,
) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE iam_policies SET in_force = ?2, newest = ?3, updated = ?4 WHERE row = ?1",
        )?
        .execute(params![policy, in_force, newest, now.as_millisecond()])
        .map(|_| ())
}

/// A policy's versions, newest first.
pub(crate) fn versions(connection: &Connection, policy: i64) -> Sql<Vec<PolicyVersion>> {
    connection
        .prepare_cached(
            "SELECT version, text, created FROM iam_policy_versions WHERE policy = ?1 ORDER BY version DESC",
        )?
        .query_map([policy], read_version)?
        .collect()
}

/// Removes a version; false when there was none.
pub(crate) fn delete_version(connection: &Connection, policy: i64, number: i64) -> Sql<bool> {
    connection
        .prepare_cached("DELETE FROM iam_policy_versions WHERE policy = ?1 AND version = ?2")?
        .execute(params![policy, number])
        .map(|count| count > 0)
}

/// Removes a policy with its versions.
pub(crate) fn delete(connection: &Connection, policy: i64) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM iam_policies WHERE row = ?1")?
        .execute([policy])
        .map(|_| ())
}

/// Attaches a policy.
pub(crate) fn attach(connection: &Connection, entity: i64, arn: &str) -> Sql<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO iam_attachments (entity, policy) VALUES (?1, ?2)")?
        .execute(params![entity, arn])
        .map(|_| ())
}

/// Detaches a policy; false when it was not attached.
pub(crate) fn detach(connection: &Connection, entity: i64, arn: &str) -> Sql<bool> {
    connection
        .prepare_cached("DELETE FROM iam_attachments WHERE entity = ?1 AND policy = ?2")?
        .execute(params![entity, arn])
        .map(|count| count > 0)
}

/// The ARNs of the policies that are attached to an entity.
pub(crate) fn attached(connection: &Connection, entity: i64) -> Sql<Vec<String>> {
    connection
        .prepare_cached("SELECT policy FROM iam_attachments WHERE entity = ?1 ORDER BY policy")?
        .query_map([entity], |row| row.get(0))?
        .collect()
}

/// The ARNs of the policies that are attached to an entity or to one of its groups.
pub(crate) fn attached_through_groups(connection: &Connection, entity: i64) -> Sql<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT policy FROM iam_attachments WHERE entity = ?1 \
             OR entity IN (SELECT team FROM iam_members WHERE member = ?1) ORDER BY policy",
        )?
        .query_map([entity], |row| row.get(0))?
        .collect()
}

/// The rows of the entities that a policy is attached to.
pub(crate) fn holders(connection: &Connection, arn: &str) -> Sql<Vec<i64>> {
    connection
        .prepare_cached("SELECT entity FROM iam_attachments WHERE policy = ?1 ORDER BY entity")?
        .query_map([arn], |row| row.get(0))?
        .collect()
}

/// How many entities have a policy as their permissions boundary.
pub(crate) fn bounded(connection: &Connection, arn: &str) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM iam_entities WHERE boundary = ?1")?
        .query_row([arn], |row| row.get(0))
}
