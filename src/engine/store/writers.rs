//! The writes of one process: those that come while another one is under way share its commit, and so its wait for the disk.
//!
//! INVARIANT: nobody is answered before the commit that its write is part of.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::engine::wire::Failure;

use super::connection::Connection;

/// How many writes share a commit at most.
const MOST: usize = 64;

/// Those who write, one after the other, over one connection.
pub(super) struct Writers {
    turn: Mutex<Turn>,
    has_changed: Condvar,
}

struct Turn {
    /// The connection, while nobody writes.
    connection: Option<Connection>,
    /// How many wait for it.
    waiting: usize,
    /// How many have written since the last commit.
    written: usize,
    commit: Commit,
}

/// What became of a commit, once it is known.
type Commit = Arc<OnceLock<Result<(), Failure>>>;

impl Writers {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            turn: Mutex::new(Turn {
                connection: Some(connection),
                waiting: 0,
                written: 0,
                commit: Commit::default(),
            }),
            has_changed: Condvar::new(),
        }
    }

    /// Runs reads and writes as one: all of them, durably, or none.
    pub(super) fn write<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (held, commit) = self.take();
        let outcome = held
            .connection()
            .and_then(|connection| connection.take_part(run));
        held.pass_on();
        let mut turn = self.lock();
        loop {
            match commit.get() {
                Some(Ok(())) => return outcome,
                Some(Err(failure)) => return Err(failure.clone()),
                None => turn = self.wait(turn),
            }
        }
    }

    fn take(&self) -> (Held<'_>, Commit) {
        let mut turn = self.lock();
        turn.waiting += 1;
        let connection = loop {
            match turn.connection.take() {
                Some(connection) => break connection,
                None => turn = self.wait(turn),
            }
        };
        turn.waiting -= 1;
        let held = Held {
            writers: self,
            connection: Some(connection),
        };
        (held, Arc::clone(&turn.commit))
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, turn: MutexGuard<'a, Turn>) -> MutexGuard<'a, Turn> {
        let turn = self.has_changed.wait(turn);
        turn.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Writers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writers")
    }
}

/// The connection in the hands of one writer.
struct Held<'a> {
    writers: &'a Writers,
    connection: Option<Connection>,
}

impl Held<'_> {
    fn connection(&self) -> Result<&Connection, Failure> {
        let lost = || Failure::internal(&"the connection is lost");
        self.connection.as_ref().ok_or_else(lost)
    }

    /// Leaves the rest to the next writer, or commits where nobody waits.
    fn pass_on(mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let mut turn = self.writers.lock();
        turn.written += 1;
        let goes_on = turn.waiting > 0 && turn.written < MOST && connection.is_in_write();
        if goes_on {
            self.give_back(turn, connection);
        } else {
            // Nobody else has the connection meanwhile.
            drop(turn);
            let end = connection.commit();
            self.end(connection, end);
        }
    }

    fn end(&self, connection: Connection, end: Result<(), Failure>) {
        let mut turn = self.writers.lock();
        turn.written = 0;
        let commit = std::mem::take(&mut turn.commit);
        // Set once: whoever ends a commit replaces it.
        drop(commit.set(end));
        self.give_back(turn, connection);
    }

    fn give_back(&self, mut turn: MutexGuard<'_, Turn>, connection: Connection) {
        turn.connection = Some(connection);
        drop(turn);
        self.writers.has_changed.notify_all();
    }
}

impl Drop for Held<'_> {
    /// A writer that panics takes everything with it that was not committed.
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.roll_back();
            self.end(connection, Err(Failure::internal(&"another write failed")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use rusqlite::Connection as Sqlite;
    use tempfile::TempDir;

    use super::*;

    struct Stage {
        folder: TempDir,
        writers: Writers,
    }

    impl Stage {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let sql = Sqlite::open(folder.path().join("db")).unwrap();
            sql.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE names (name TEXT);")
                .unwrap();
            let writers = Writers::new(Connection::new(sql));
            Self { folder, writers }
        }

        /// What anybody else sees.
        fn names(&self) -> Vec<String> {
            let sql = Sqlite::open(self.folder.path().join("db")).unwrap();
            let mut names = sql.prepare("SELECT name FROM names ORDER BY name").unwrap();
            let names = names.query_map([], |row| row.get(0)).unwrap();
            names.collect::<Result<_, _>>().unwrap()
        }

        /// Writes a name, waits until others wait for their turn, and ends as told.
        fn write(
            &self,
            name: &str,
            others: usize,
            end: impl FnOnce() -> Result<(), Failure>,
        ) -> Result<(), Failure> {
            self.writers.write(|connection| {
                let mut insert = connection.prepare_cached("INSERT INTO names VALUES (?1)")?;
                insert.execute([name])?;
                while self.writers.lock().waiting < others {
                    thread::yield_now();
                }
                end()
            })
        }
    }

    #[test]
    fn writes_that_come_meanwhile_share_a_commit_and_fail_alone() {
        let stage = Stage::new();
        let unseen = || {
            assert!(stage.names().is_empty());
            Ok(())
        };
        thread::scope(|scope| {
            let first = scope.spawn(|| stage.write("first", 2, || Ok(())));
            while stage.writers.lock().connection.is_some() {
                thread::yield_now();
            }
            let wrong = scope.spawn(|| stage.write("wrong", 0, || Err(Failure::internal(&"x"))));
            let last = scope.spawn(|| stage.write("last", 0, unseen));
            assert_eq!(first.join().unwrap(), Ok(()));
            assert_eq!(wrong.join().unwrap(), Err(Failure::internal(&"x")));
            assert_eq!(last.join().unwrap(), Ok(()));
        });
        assert_eq!(stage.names(), ["first", "last"]);
    }

    #[test]
    fn a_writer_that_panics_fails_those_who_share_its_commit_and_no_later_one() {
        let stage = Stage::new();
        thread::scope(|scope| {
            let first = scope.spawn(|| stage.write("first", 1, || Ok(())));
            while stage.writers.lock().connection.is_some() {
                thread::yield_now();
            }
            let panics = AssertUnwindSafe(|| stage.write("second", 0, || panic!("on purpose")));
            assert!(catch_unwind(panics).is_err());
            assert!(first.join().unwrap().is_err());
        });
        assert_eq!(stage.write("later", 0, || Ok(())), Ok(()));
        assert_eq!(stage.names(), ["later"]);
    }
}
