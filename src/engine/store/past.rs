//! States of the database that are over, kept for a while so that some reads can be late.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection as Sqlite;

use super::connection::Connection;

type Sql<T> = Result<T, rusqlite::Error>;

/// How many states are kept of the time that is looked back at.
const STATES: u32 = 8;

/// The states before recent writes, oldest first.
#[derive(Default)]
pub(super) struct Past(Mutex<VecDeque<(Timestamp, Connection)>>);

impl Past {
    /// Keeps the state of this moment, unless one is kept that is hardly older.
    pub(super) fn keep(
        &self,
        now: Timestamp,
        longest: Duration,
        take: impl FnOnce() -> Sql<Sqlite>,
    ) -> Sql<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |time: Timestamp| now.duration_since(time);
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        while kept.front().is_some_and(|(time, _)| age(*time) > longest) {
            kept.pop_front();
        }
        let is_close = |(time, _): &(Timestamp, Connection)| {
            age(*time) < longest / i32::try_from(STATES).unwrap_or(1)
        };
        if !kept.back().is_some_and(is_close) {
            kept.push_back((now, Connection::frozen(take()?)));
        }
        Ok(())
    }

    /// Looks at the oldest state that is not older than a moment; `None` where only the present is.
    pub(super) fn look<T>(
        &self,
        since: Timestamp,
        run: impl FnOnce(&Connection) -> T,
    ) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, state) = kept.iter().find(|(time, _)| *time >= since)?;
        Some(run(state))
    }
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Past")
    }
}

/// A connection to a file that goes on seeing what it sees now.
pub(super) fn hold(connection: Sqlite) -> Sql<Sqlite> {
    connection.execute_batch("BEGIN DEFERRED; SELECT count(*) FROM meta;")?;
    Ok(connection)
}

/// A copy of a database in memory.
pub(super) fn copy(connection: &Sqlite) -> Sql<Sqlite> {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    let number = COPIES.fetch_add(1, Ordering::Relaxed);
    let name = format!("file:keywright-past-{number}?mode=memory&cache=shared");
    let copy = Sqlite::open(&name)?;
    connection.execute("VACUUM INTO ?1", [name])?;
    Ok(copy)
}
