//! Users, roles and groups.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::engine::store::Connection;
use crate::engine::store::row::{noun, time};
use crate::model::{AccountId, Arn, Partition, Principal};

type Sql<T> = Result<T, rusqlite::Error>;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Role,
    Group,
}

impl Kind {
    /// The word in ARNs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
        }
    }

    /// The word in the names of operations and members.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Role => "Role",
            Self::Group => "Group",
        }
    }

    /// How unique ids of it begin.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Role => "AROA",
            Self::Group => "AGPA",
        }
    }
}

/// What is no kind of entity.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a kind of entity")]
pub(crate) struct NoKind;

impl FromStr for Kind {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Self, NoKind> {
        let all = [Self::User, Self::Role, Self::Group];
        all.into_iter()
            .find(|kind| kind.word() == text)
            .ok_or(NoKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A user, a role or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    pub row: i64,
    pub partition: Partition,
    pub account: AccountId,
    pub kind: Kind,
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// Never used again, even for another of the same name.
    pub id: String,
    pub created: Timestamp,
    pub description: Option<String>,
    /// Of a role: who may assume it.
    pub trust: Option<String>,
    /// Of a role: how many seconds a session may last.
    pub longest: Option<i64>,
    /// The ARN of the managed policy that is its permissions boundary.
    pub boundary: Option<String>,
}

impl Entity {
    /// The ARN.
    pub(crate) fn arn(&self) -> String {
        let Self {
            partition,
            account,
            kind,
            path,
            name,
            ..
        } = self;
        format!("arn:{partition}:iam::{account}:{kind}{path}{name}")
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT row, partition, account, kind, name, path, id, created, description, trust, longest, boundary \
             FROM iam_entities ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> Sql<Entity> {
    Ok(Entity {
        row: row.get(0)?,
        partition: noun(row, 1)?,
        account: noun(row, 2)?,
        kind: noun(row, 3)?,
        name: row.get(4)?,
        path: row.get(5)?,
        id: row.get(6)?,
        created: time(row, 7)?,
        description: row.get(8)?,
        trust: row.get(9)?,
        longest: row.get(10)?,
        boundary: row.get(11)?,
    })
}

/// Finds an entity by its name.
pub(crate) fn find(
    connection: &Connection,
    account: AccountId,
    kind: Kind,
    name: &str,
) -> Sql<Option<Entity>> {
    connection
        .prepare_cached(select!("WHERE account = ?1 AND kind = ?2 AND name = ?3"))?
        .query_row(params![account.as_str(), kind.word(), name], read)
        .optional()
}

/// Finds an entity by its row.
pub(crate) fn at(connection: &Connection, row: i64) -> Sql<Entity> {
    connection
        .prepare_cached(select!("WHERE row = ?1"))?
        .query_row([row], read)
}

/// Finds the user or role that a principal is, path and all.
pub(crate) fn of_principal(connection: &Connection, principal: &Principal) -> Sql<Option<Entity>> {
    let (arn, kind) = match principal {
        Principal::User(arn) => (arn, Kind::User),
        Principal::Role(arn) => (arn, Kind::Role),
        Principal::Anyone
        | Principal::Account(..)
        | Principal::Session(_)
        | Principal::Federated(_)
        | Principal::Service(_)
        | Principal::Deleted(_) => return Ok(None),
    };
    let Ok(account) = arn.account().parse() else {
        return Ok(None);
    };
    let found = find(connection, account, kind, last_name(arn))?;
    Ok(found.filter(|entity| entity.arn() == arn.as_str()))
}

/// The name at the end of an ARN's path.
pub(crate) fn last_name(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

/// An account's entities of a kind after a name, by name.
pub(crate) fn after(
    connection: &Connection,
    account: AccountId,
    kind: Kind,
    after: &str,
    limit: i64,
) -> Sql<Vec<Entity>> {
    connection
        .prepare_cached(select!(
            "WHERE account = ?1 AND kind = ?2 AND name > ?3 ORDER BY name LIMIT ?4"
        ))?
        .query_map(params![account.as_str(), kind.word(), after, limit], read)?
        .collect()
}

/// Adds an entity and gives its row.
pub(crate) fn insert(connection: &Connection, entity: &Entity) -> Sql<i64> {
    let Entity {
        row: _,
        partition,
        account,
        kind,
        name,
        path,
        id,
        created,
        description,
        trust,
        longest,
        boundary,
    } = entity;
    connection
        .prepare_cached(
            "INSERT INTO iam_entities (partition, account, kind, name, path, id, created, description, trust, longest, \
             boundary) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .insert(params![
            partition.as_str(),
            account.as_str(),
            kind.word(),
            name,
            path,
            id,
            created.as_millisecond(),
            description,
            trust,
            longest,
            boundary,
        ])
}

/// Writes what can change of an entity.
pub(crate) fn update(connection: &Connection, entity: &Entity) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE iam_entities SET name = ?2, path = ?3, description = ?4, trust = ?5, longest = ?6, boundary = ?7 \
             WHERE row = ?1",
        )?
        .execute(params![
            entity.row,
            entity.name,
            entity.path,
            entity.description,
            entity.trust,
            entity.longest,
            entity.boundary,
        ])
        .map(|_| ())
}

/// The trust policies with a text in them, by their roles' rows.
pub(crate) fn trusts_with(connection: &Connection, text: &str) -> Sql<Vec<(i64, String)>> {
    connection
        .prepare_cached("SELECT row, trust FROM iam_entities WHERE instr(trust, ?1) > 0")?
        .query_map([text], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Sets whom a role trusts.
pub(crate) fn set_trust(connection: &Connection, row: i64, trust: &str) -> Sql<()> {
    connection
        .prepare_cached("UPDATE iam_entities SET trust = ?2 WHERE row = ?1")?
        .execute(params![row, trust])
        .map(|_| ())
}

/// Removes an entity, and all that hangs on it.
pub(crate) fn delete(connection: &Connection, row: i64) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM iam_entities WHERE row = ?1")?
        .execute([row])
        .map(|_| ())
}

/// An entity's tags, by name.
pub(crate) fn tags(connection: &Connection, row: i64) -> Sql<BTreeMap<String, String>> {
    connection
        .prepare_cached("SELECT name, value FROM iam_tags WHERE entity = ?1")?
        .query_map([row], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Sets a tag.
pub(crate) fn tag(connection: &Connection, row: i64, name: &str, value: &str) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO iam_tags (entity, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (entity, name) DO UPDATE SET name = ?2, value = ?3",
        )?
        .execute(params![row, name, value])
        .map(|_| ())
}

/// Removes a tag, if it is there.
pub(crate) fn untag(connection: &Connection, row: i64, name: &str) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM iam_tags WHERE entity = ?1 AND name = ?2")?
        .execute(params![row, name])
        .map(|_| ())
}

/// Puts a user into a group.
pub(crate) fn join(connection: &Connection, member: i64, team: i64) -> Sql<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO iam_members (member, team) VALUES (?1, ?2)")?
        .execute(params![member, team])
        .map(|_| ())
}

/// Takes a user out of a group.
pub(crate) fn leave(connection: &Connection, member: i64, team: i64) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM iam_members WHERE member = ?1 AND team = ?2")?
        .execute(params![member, team])
        .map(|_| ())
}

/// The groups of a user.
pub(crate) fn teams_of(connection: &Connection, member: i64) -> Sql<Vec<Entity>> {
    connection
        .prepare_cached(select!(
            "WHERE row IN (SELECT team FROM iam_members WHERE member = ?1) ORDER BY name"
        ))?
        .query_map([member], read)?
        .collect()
}

/// The users in a group.
pub(crate) fn members_of(connection: &Connection, team: i64) -> Sql<Vec<Entity>> {
    connection
        .prepare_cached(select!(
            "WHERE row IN (SELECT member FROM iam_members WHERE team = ?1) ORDER BY name"
        ))?
        .query_map([team], read)?
        .collect()
}
