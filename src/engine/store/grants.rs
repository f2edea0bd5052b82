//! Grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Params, Row, params};

use crate::engine::store::Connection;
use crate::model::{AccountId, GrantOperations, KeyArn, Place};

use super::row::{noun, time};

type Sql<T> = Result<T, rusqlite::Error>;

/// What a grant says; two grants with the same name and the same terms are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// `GranteePrincipal` as it was sent.
    pub grantee: Option<String>,
    pub grantee_service: Option<String>,
    pub retiring: Option<String>,
    pub retiring_service: Option<String>,
    pub operations: GrantOperations,
    pub context_subset: Option<BTreeMap<String, String>>,
    pub context_equals: Option<BTreeMap<String, String>>,
    pub source_arn: Option<String>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub row: i64,
    pub id: String,
    pub key: KeyArn,
    pub name: Option<String>,
    pub terms: Terms,
    pub issuing_account: AccountId,
    pub created: Timestamp,
}

/// How many grants a key may have for all of them to be remembered.
const FEW: u32 = 50;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT g.row, g.id, k.account, k.region, k.id, g.name, g.grantee, g.grantee_service, g.retiring, \
             g.retiring_service, g.operations, g.context_subset, g.context_equals, g.source_arn, \
             g.issuing_account, g.created FROM grants g JOIN keys k ON k.row = g.key ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> Sql<Grant> {
    let place = Place {
        account: noun(row, 2)?,
        region: noun(row, 3)?,
    };
    Ok(Grant {
        row: row.get(0)?,
        id: row.get(1)?,
        key: KeyArn::new(place, noun(row, 4)?),
        name: row.get(5)?,
        terms: Terms {
            grantee: row.get(6)?,
            grantee_service: row.get(7)?,
            retiring: row.get(8)?,
            retiring_service: row.get(9)?,
            operations: operations(row, 10)?,
            context_subset: context(row, 11)?,
            context_equals: context(row, 12)?,
            source_arn: row.get(13)?,
        },
        issuing_account: noun(row, 14)?,
        created: time(row, 15)?,
    })
}

fn operations(row: &Row<'_>, column: usize) -> Sql<GrantOperations> {
    row.get_ref(column)?
        .as_str()?
        .split(' ')
        .map(|name| {
            name.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
            })
        })
        .collect()
}

fn context(row: &Row<'_>, column: usize) -> Sql<Option<BTreeMap<String, String>>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else {
        return Ok(None);
    };
    serde_json::from_str(text).map(Some).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn context_text(pairs: Option<&BTreeMap<String, String>>) -> Sql<Option<String>> {
    pairs
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Adds a grant to the key in a row.
pub(crate) fn insert(connection: &Connection, key: i64, grant: &Grant) -> Sql<()> {
    let Grant {
        row: _,
        id,
        key: _,
        name,
        terms,
        issuing_account,
        created,
    } = grant;
    let operations: Vec<&str> = terms
        .operations
        .iter()
        .map(|operation| operation.name())
        .collect();
    connection
        .prepare_cached(
            "INSERT INTO grants (key, id, name, grantee, grantee_service, retiring, retiring_service, operations, \
             context_subset, context_equals, source_arn, issuing_account, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            key,
            id,
            name,
            terms.grantee,
            terms.grantee_service,
            terms.retiring,
            terms.retiring_service,
            operations.join(" "),
            context_text(terms.context_subset.as_ref())?,
            context_text(terms.context_equals.as_ref())?,
            terms.source_arn,
            issuing_account.as_str(),
            created.as_millisecond(),
        ])
        .map(|_| ())
}

fn list(connection: &Connection, sql: &str, params: impl Params) -> Sql<Vec<Grant>> {
    connection
        .prepare_cached(sql)?
        .query_map(params, read)?
        .collect()
}

/// A key's grants with a name.
pub(crate) fn named(connection: &Connection, key: i64, name: &str) -> Sql<Vec<Grant>> {
    list(
        connection,
        select!("WHERE g.key = ?1 AND g.name = ?2"),
        params![key, name],
    )
}

/// How many grants a key has.
pub(crate) fn count(connection: &Connection, key: i64) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM grants WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
}

/// A key's grants after a row, oldest first.
pub(crate) fn after(connection: &Connection, key: i64, after: i64, limit: u32) -> Sql<Vec<Grant>> {
    list(
        connection,
        select!("WHERE g.key = ?1 AND g.row > ?2 ORDER BY g.row LIMIT ?3"),
        params![key, after, limit],
    )
}

/// A key's grants for one grantee after a row.
pub(crate) fn of_grantee_after(
    connection: &Connection,
    key: i64,
    grantee: &str,
    after: i64,
    limit: u32,
) -> Sql<Vec<Grant>> {
    list(
        connection,
        select!("WHERE g.key = ?1 AND g.grantee = ?2 AND g.row > ?3 ORDER BY g.row LIMIT ?4"),
        params![key, grantee, after, limit],
    )
}

/// A key's grants for any of some grantees.
pub(crate) fn of_grantees(
    connection: &Connection,
    key: i64,
    grantees: &[Option<String>; 4],
) -> Sql<Vec<Grant>> {
    let few = connection.memory.grants.recall(connection, key, |key| {
        after(connection, *key, 0, FEW + 1).map(Arc::from)
    })?;
    if u32::try_from(few.len()).is_ok_and(|count| count <= FEW) {
        let [first, ..] = grantees;
        let is_meant = |grant: &&Grant| {
            let Terms {
                grantee,
                grantee_service,
                ..
            } = &grant.terms;
            let is_service = grantee_service.is_some() && grantee_service == first;
            is_service || (grantee.is_some() && grantees.contains(grantee))
        };
        return Ok(few.iter().filter(is_meant).cloned().collect());
    }
    let [first, second, third, fourth] = grantees;
    list(
        connection,
        select!(
            "WHERE g.key = ?1 AND (g.grantee IN (?2, ?3, ?4, ?5) OR g.grantee_service = ?2) ORDER BY g.row"
        ),
        params![key, first, second, third, fourth],
    )
}

/// Grants in a Region, on any account's keys, that a principal may retire.
pub(crate) fn retirable_after(
    connection: &Connection,
    region: &str,
    retiring: &str,
    after: i64,
    limit: u32,
) -> Sql<Vec<Grant>> {
    list(
        connection,
        select!("WHERE g.retiring = ?2 AND k.region = ?1 AND g.row > ?3 ORDER BY g.row LIMIT ?4"),
        params![region, retiring, after, limit],
    )
}

/// Finds a grant by its id.
pub(crate) fn find(connection: &Connection, id: &str) -> Sql<Option<Grant>> {
    connection
        .prepare_cached(select!("WHERE g.id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// Puts another name in the place of a principal's.
pub(crate) fn rename(connection: &Connection, principal: &str, name: &str) -> Sql<()> {
    for sql in [
        "UPDATE grants SET grantee = ?2 WHERE grantee = ?1",
        "UPDATE grants SET retiring = ?2 WHERE retiring = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([principal, name])?;
    }
    Ok(())
}

/// Removes a grant.
pub(crate) fn delete(connection: &Connection, row: i64) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM grants WHERE row = ?1")?
        .execute([row])
        .map(|_| ())
}
