//! The rotations that have happened.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::material::{Piece, read_piece};
use super::row::time;
use crate::engine::store::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// What made a rotation happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RotationKind {
    Automatic,
    OnDemand,
}

impl RotationKind {
    /// AWS's spelling.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "AUTOMATIC",
            Self::OnDemand => "ON_DEMAND",
        }
    }
}

/// One piece of a key's material, and the rotation that brought it; the first piece came with the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub row: i64,
    pub material: Piece,
    pub rotation: Option<(Timestamp, RotationKind)>,
}

/// Notes a rotation.
pub(crate) fn insert(
    connection: &Connection,
    key: i64,
    material: &str,
    kind: RotationKind,
    date: Timestamp,
) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO rotations (key, material, kind, date) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![key, material, kind.as_str(), date.as_millisecond()])
        .map(|_| ())
}

/// How many rotations on demand a key has had.
pub(crate) fn count_on_demand(connection: &Connection, key: i64) -> Sql<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM rotations WHERE key = ?1 AND kind = 'ON_DEMAND'")?
        .query_row([key], |row| row.get(0))
}

/// A key's material after a row, in the order in which it came.
pub(crate) fn turns_after(
    connection: &Connection,
    key: i64,
    after: i64,
    limit: u32,
) -> Sql<Vec<Turn>> {
    connection
        .prepare_cached(
            "SELECT m.row, r.date, r.kind, m.id, m.sealed IS NOT NULL, m.pending, m.valid_to, m.description \
             FROM key_material m \
             LEFT JOIN rotations r ON r.key = m.key AND r.material = m.id \
             WHERE m.key = ?1 AND m.row > ?2 ORDER BY m.row LIMIT ?3",
        )?
        .query_map(params![key, after, limit], read)?
        .collect()
}

/// A key's rotations only.
pub(crate) fn rotations_after(
    connection: &Connection,
    key: i64,
    after: i64,
    limit: u32,
) -> Sql<Vec<Turn>> {
    connection
        .prepare_cached(
            "SELECT m.row, r.date, r.kind, m.id, m.sealed IS NOT NULL, m.pending, m.valid_to, m.description \
             FROM key_material m \
             JOIN rotations r ON r.key = m.key AND r.material = m.id \
             WHERE m.key = ?1 AND m.row > ?2 ORDER BY m.row LIMIT ?3",
        )?
        .query_map(params![key, after, limit], read)?
        .collect()
}

fn read(row: &Row<'_>) -> Sql<Turn> {
    let kind: Option<String> = row.get(2)?;
    let rotation = match kind.as_deref() {
        Some("ON_DEMAND") => Some((time(row, 1)?, RotationKind::OnDemand)),
        Some(_) => Some((time(row, 1)?, RotationKind::Automatic)),
        None => None,
    };
    Ok(Turn {
        row: row.get(0)?,
        material: read_piece(row, 3)?,
        rotation,
    })
}

/// Gives a replica the rotations of another key.
pub(crate) fn copy(connection: &Connection, from: i64, to: i64) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO rotations (key, material, kind, date) \
             SELECT ?2, material, kind, date FROM rotations WHERE key = ?1 ORDER BY row",
        )?
        .execute([from, to])
        .map(|_| ())
}
