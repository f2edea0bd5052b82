//! The engine's state: one database file, shared by threads and processes.
//!
//! INVARIANT: a write that was answered is on disk; `synchronous=FULL` keeps that, and that nobody is answered before a commit.

pub(crate) mod aliases;
pub(crate) mod deadlines;
pub(crate) mod grants;
pub(crate) mod iam;
pub(crate) mod key_stores;
pub(crate) mod keys;
pub(crate) mod material;
pub(crate) mod policies;
pub(crate) mod rotations;
pub(crate) mod tags;

mod connection;
pub(crate) mod file;
mod fresh;
mod master;
mod past;
mod row;
mod schema;
mod soundness;
mod writers;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection as Sqlite, ErrorCode};

use super::entropy::Entropy;
use super::wire::Failure;

pub(crate) use connection::{Connection, Hangings};
pub(crate) use master::MasterKey;
pub use master::{MasterSecret, NoMasterSecret};

use past::Past;
use writers::Writers;

/// Why the engine's store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database or its folder cannot be made or opened.
    #[error("cannot open `{path}`")]
    File {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database is locked, or its disk full.
    #[error("the engine's database cannot be used")]
    Database(#[source] rusqlite::Error),
    /// The database is damaged, or none at all.
    #[error(
        "the engine's database is damaged, and a copy that `keywright engine backup` made can take its place: {0}"
    )]
    Damaged(String),
    /// The master key is there, but not its database.
    #[error(
        "the engine's database `{path}` is missing; put it back, or delete its master key `{key}` to begin anew"
    )]
    Missing {
        /// Where the database should be.
        path: Utf8PathBuf,
        /// Its master key.
        key: Utf8PathBuf,
    },
    /// A later version has written the database.
    #[error(
        "the engine's database has schema version {found}, but this keywright knows versions up to {known}"
    )]
    Newer {
        /// The version in the file.
        found: i64,
        /// The latest version that is known.
        known: i64,
    },
    /// The master key file is gone, so no key material can be read.
    #[error("the master key `{path}` is missing, and without it the key material is lost")]
    MasterKeyMissing {
        /// Where the master key should be.
        path: Utf8PathBuf,
    },
    /// The master key file is not for its owner alone.
    #[error("the master key `{path}` is open to others; take that away with `chmod 600 {path}`")]
    MasterKeyExposed {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The master key file is another database's, or damaged.
    #[error("the master key `{path}` does not belong to this database")]
    MasterKeyForeign {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The master key that was given is another database's.
    #[error("the master key that was given does not belong to this database")]
    MasterKeyUnfit,
    /// There are no random bytes for a new master key.
    #[error(transparent)]
    NoEntropy(#[from] super::entropy::NoEntropy),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            Some(_) | None => Self::Database(error),
        }
    }
}

/// How many idle connections a file's pool keeps.
pub(crate) const IDLE_CONNECTIONS: usize = 8;
/// How many prepared statements a connection keeps; more than the engine has.
const STATEMENTS: usize = 128;
/// How much of the file a connection keeps in memory, in KiB; the rest is in the system's cache.
const CACHE_KIB: i64 = 4 * 1024;
/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(30);

/// The open store.
#[derive(Debug)]
pub(crate) struct Database {
    backing: Backing,
    past: Past,
    pub(crate) master: MasterKey,
}

#[derive(Debug)]
enum Backing {
    Memory(Mutex<Connection>),
    File {
        path: Utf8PathBuf,
        idle: Mutex<Vec<Connection>>,
        writers: Writers,
    },
}

impl Database {
    /// A store that lives as long as the engine.
    pub(crate) fn in_memory(entropy: &dyn Entropy) -> Result<Self, OpenError> {
        let connection = Sqlite::open_in_memory()?;
        configure(&connection)?;
        schema::prepare(&connection)?;
        Ok(Self {
            backing: Backing::Memory(Mutex::new(Connection::new(connection))),
            past: Past::default(),
            master: MasterKey::generate(entropy)?,
        })
    }

    /// A store in a file, which is made when it is not there; its master key is given, or beside it.
    pub(crate) fn in_file(
        path: &Utf8Path,
        given: Option<&MasterSecret>,
        entropy: &dyn Entropy,
    ) -> Result<Self, OpenError> {
        let beside = path.with_extension("key");
        file::prepare_folder(path)?;
        let is_new = file::is_new(path, given.is_none().then_some(&beside))?;
        fresh::put(path, entropy)?;
        file::prepare(path)?;
        let connection = connect(path)?;
        schema::prepare(&connection)?;
        if !is_new {
            soundness::check(&connection)?;
        }
        // The key's print is written anew where it is missing, so the disk need not have it yet.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let master = master::load_or_make(&connection, given, &beside, entropy)?;
        if is_new && given.is_some() {
            file::sync_folder(path).map_err(|source| file::fault(path, source))?;
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self {
            backing: Backing::File {
                path: path.to_owned(),
                idle: Mutex::default(),
                writers: Writers::new(Connection::new(connection)),
            },
            past: Past::default(),
            master,
        })
    }

    /// Runs reads on one state of the store; twice where that has moved on meanwhile.
    pub(crate) fn read<T>(
        &self,
        run: impl Fn(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|connection| connection.read(run))
    }

    /// Fails where the store can no longer be read.
    pub(crate) fn touch(&self) -> Result<(), Failure> {
        self.with(|connection| Ok(soundness::touch(&connection.sql)?))
    }

    /// Runs reads and writes as one: all of them, durably, or none.
    pub(crate) fn write<T>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match &self.backing {
            Backing::Memory(connection) => lock(connection).write(run),
            Backing::File { writers, .. } => writers.write(run),
        }
    }

    /// Keeps the present for as long as something may look back at it.
    pub(crate) fn keep_present(&self, now: Timestamp, longest: Duration) -> Result<(), Failure> {
        Ok(self.past.keep(now, longest, || match &self.backing {
            Backing::Memory(connection) => past::copy(&lock(connection).sql),
            Backing::File { path, .. } => past::hold(connect(path)?),
        })?)
    }

    /// Reads from a state that is over, the oldest since a moment that was kept.
    pub(crate) fn read_past<T>(
        &self,
        since: Timestamp,
        run: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Option<Result<T, Failure>> {
        self.past.look(since, run)
    }

    /// Copies the store, as it is at one moment, to a file that is not there yet; a master key beside it is copied too.
    pub(crate) fn copy_to(&self, path: &Utf8Path) -> Result<(), OpenError> {
        let key = path.with_extension("key");
        for file in [path, &key] {
            if file.exists() {
                let taken = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                return Err(file::fault(file, taken));
            }
        }
        // Made first, so that nobody else can ever read it.
        file::prepare(path)?;
        match &self.backing {
            Backing::Memory(connection) => vacuum_into(&lock(connection).sql, path)?,
            Backing::File { path: own, .. } => {
                vacuum_into(&connect(own)?, path)?;
                match std::fs::read(own.with_extension("key")) {
                    Ok(text) => file::write_whole(&key, &text)
                        .map_err(|source| file::fault(&key, source))?,
                    // It was given, and is kept elsewhere.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(source) => return Err(file::fault(own, source)),
                }
            }
        }
        Ok(())
    }

    fn with<T>(&self, run: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        match &self.backing {
            Backing::Memory(connection) => run(&lock(connection)),
            Backing::File { path, idle, .. } => {
                let spare = lock(idle).pop();
                let connection = match spare {
                    Some(connection) => connection,
                    None => Connection::new(connect(path)?),
                };
                let outcome = run(&connection);
                let mut idle = lock(idle);
                if idle.len() < IDLE_CONNECTIONS {
                    idle.push(connection);
                }
                outcome
            }
        }
    }
}

/// A panic elsewhere leaves a connection usable: its transaction was ended.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Utf8Path) -> Result<Sqlite, rusqlite::Error> {
    let connection = Sqlite::open(path)?;
    configure(&connection)?;
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Switches to a write-ahead log. Where two processes do so to a new file, `SQLite` fails at once instead of waiting.
fn write_ahead(connection: &Sqlite) -> Result<(), rusqlite::Error> {
    let pauses = (1..=64).map(Duration::from_millis);
    for pause in pauses {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(pause);
            }
            done => return done,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}

/// Whether anybody has a database open: then it cannot be switched from its write-ahead log.
///
/// A damaged or foreign file is nobody's. What is in the log is in the database afterwards.
pub fn is_in_use(path: &Utf8Path) -> bool {
    let switched = Sqlite::open(path).and_then(|connection| {
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "journal_mode", "DELETE")
    });
    let code = switched.err().and_then(|error| error.sqlite_error_code());
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn vacuum_into(connection: &Sqlite, path: &Utf8Path) -> Result<(), rusqlite::Error> {
    connection
        .execute("VACUUM INTO ?1", [path.as_str()])
        .map(|_| ())
}

fn configure(connection: &Sqlite) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this, a statement is prepared anew whenever a value that could change its plan is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)
}
