//! Times at which something may be due: deletions, rotations, expiries and ends of transitions.
//!
//! INVARIANT: triggers of the schema note every such time, so no write can forget one. One that nothing is due at any
//! more does no harm.

use crate::engine::store::Connection;
use jiff::Timestamp;

type Sql<T> = Result<T, rusqlite::Error>;

/// True when time alone may have changed something.
pub(crate) fn passed(connection: &Connection, now: Timestamp) -> Sql<bool> {
    let memory = &connection.memory.next_deadline;
    let next = memory.recall(connection, (), |()| next(connection))?;
    Ok(next.is_some_and(|time| time <= now.as_millisecond()))
}

fn next(connection: &Connection) -> Sql<Option<i64>> {
    connection
        .prepare_cached("SELECT min(time) FROM deadlines")?
        .query_row([], |row| row.get(0))
}

/// Forgets the times at which everything has happened.
pub(crate) fn forget(connection: &Connection, now: Timestamp) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM deadlines WHERE time <= ?1")?
        .execute([now.as_millisecond()])
        .map(|_| ())
}
