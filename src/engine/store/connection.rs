//! A connection to the database, and what it remembers of it.
//!
//! INVARIANT: what is remembered holds as long as `data_version` stays the same, which each read asks for first; a
//! commit of any other connection or process changes it, and a write of this one forgets everything. So a read that
//! finds all in memory sees every write that was answered before it began.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use rusqlite::CachedStatement;

use crate::engine::wire::Failure;
use crate::model::KeyArn;
use crate::policy::Document;

use super::grants::Grant;
use super::iam::Held;
use super::iam::access_keys::Holder;
use super::keys::Key;
use super::material::StoredMaterial;

type Sql<T> = Result<T, rusqlite::Error>;

/// How many things of one kind are remembered; when more come, all of the kind are forgotten.
const MOST: usize = 1024;

/// A connection in the middle of a read or a write.
pub(crate) struct Connection {
    pub(super) sql: rusqlite::Connection,
    stage: Cell<Stage>,
    version: Cell<i64>,
    /// True once a read was told something from memory.
    has_recalled: Cell<bool>,
    pub(crate) memory: Box<Memory>,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was asked of the database yet.
    Recalling,
    /// In a transaction that reads.
    Reading,
    /// The database has moved on from what was told from memory.
    Outdated,
    /// In a transaction that writes, which sees what nobody else does.
    Writing,
}

/// What is remembered.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) keys: Memo<KeyArn, Option<Key>>,
    pub(crate) rows: Memo<i64, Key>,
    pub(crate) alias_targets: Memo<String, Option<i64>>,
    pub(crate) policies: Memo<i64, Arc<Document>>,
    pub(crate) grants: Memo<i64, Arc<[Grant]>>,
    pub(crate) hangings: Memo<i64, Arc<Hangings>>,
    pub(crate) material: Memo<(i64, String), Option<StoredMaterial>>,
    pub(crate) material_keys: Memo<(String, String), Option<i64>>,
    pub(crate) held: Memo<(String, String), Option<Arc<Held>>>,
    pub(crate) access_keys: Memo<String, Option<Holder>>,
    pub(crate) next_deadline: Memo<(), Option<i64>>,
}

/// What condition keys tell of a key besides its own row.
#[derive(Debug)]
pub(crate) struct Hangings {
    pub(crate) aliases: Vec<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) used: Option<jiff::Timestamp>,
}

/// Things of one kind that are remembered.
pub(crate) struct Memo<K, V>(RefCell<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RefCell::new(HashMap::new()))
    }
}

impl Memory {
    fn forget(&self) {
        let Self {
            keys,
            rows,
            alias_targets,
            policies,
            grants,
            hangings,
            material,
            material_keys,
            held,
            access_keys,
            next_deadline,
        } = self;
        keys.forget();
        rows.forget();
        alias_targets.forget();
        policies.forget();
        grants.forget();
        hangings.forget();
        material.forget();
        material_keys.forget();
        held.forget();
        access_keys.forget();
        next_deadline.forget();
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    fn forget(&self) {
        self.0.borrow_mut().clear();
    }

    /// What is remembered, or what is found, which is remembered then; a write remembers nothing.
    pub(crate) fn recall<E>(
        &self,
        connection: &Connection,
        key: K,
        find: impl FnOnce(&K) -> Result<V, E>,
    ) -> Result<V, E> {
        if connection.stage.get() == Stage::Writing {
            return find(&key);
        }
        if let Some(known) = self.0.borrow().get(&key) {
            connection.has_recalled.set(true);
            return Ok(known.clone());
        }
        let found = find(&key)?;
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, found.clone());
        Ok(found)
    }
}

impl Connection {
    pub(super) fn new(sql: rusqlite::Connection) -> Self {
        Self {
            sql,
            stage: Cell::new(Stage::Recalling),
            // No version of a database.
            version: Cell::new(i64::MIN),
            has_recalled: Cell::new(false),
            memory: Box::default(),
        }
    }

    /// A connection that sees one state of a database, and will see no other.
    pub(super) fn frozen(sql: rusqlite::Connection) -> Self {
        let connection = Self::new(sql);
        connection.stage.set(Stage::Reading);
        connection
    }

    /// A statement on the one state of the database that this read or write is about.
    pub(crate) fn prepare_cached(&self, sql: &str) -> Sql<CachedStatement<'_>> {
        if self.stage.get() == Stage::Recalling {
            self.execute("BEGIN DEFERRED")?;
            self.stage.set(Stage::Reading);
            // The first look is what fixes the state that the transaction sees.
            if self.has_moved()? && self.has_recalled.get() {
                self.stage.set(Stage::Outdated);
            }
        }
        if self.stage.get() == Stage::Outdated {
            return Err(rusqlite::Error::InvalidQuery);
        }
        self.sql.prepare_cached(sql)
    }

    /// Runs reads on one state of the database, from memory as far as that goes.
    pub(super) fn read<T>(&self, run: impl Fn(&Self) -> Result<T, Failure>) -> Result<T, Failure> {
        {
            let _end = End(self);
            self.has_recalled.set(false);
            self.has_moved()?;
            let outcome = run(self);
            if self.stage.get() != Stage::Outdated {
                return outcome;
            }
        }
        // All of it from the disk this time, so that nothing is of two states.
        let _end = End(self);
        self.execute("BEGIN DEFERRED")?;
        self.stage.set(Stage::Reading);
        self.has_moved()?;
        run(self)
    }

    /// Runs reads and writes as one: all of them, durably, or none.
    pub(super) fn write<T>(
        &self,
        run: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let _end = End(self);
        let value = self.take_part(run)?;
        self.commit()?;
        Ok(value)
    }

    /// Runs reads and writes as a part of a transaction, which is begun where none is: all of them or none.
    pub(super) fn take_part<T>(
        &self,
        run: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.stage.get() != Stage::Writing {
            self.execute("BEGIN IMMEDIATE")?;
            self.stage.set(Stage::Writing);
        }
        self.execute("SAVEPOINT part")?;
        let outcome = run(self);
        // After some faults SQLite undoes the whole transaction, which the commit finds out.
        if outcome.is_err() && self.is_in_write() {
            self.execute("ROLLBACK TO part")?;
        }
        if self.is_in_write() {
            self.execute("RELEASE part")?;
        }
        outcome
    }

    /// True in a transaction that writes and that goes on.
    pub(super) fn is_in_write(&self) -> bool {
        self.stage.get() == Stage::Writing && !self.sql.is_autocommit()
    }

    /// Puts onto the disk what a transaction has written, if one was begun.
    pub(super) fn commit(&self) -> Result<(), Failure> {
        if self.stage.get() != Stage::Writing {
            return Ok(());
        }
        let _end = End(self);
        self.memory.forget();
        self.execute("COMMIT")?;
        self.stage.set(Stage::Recalling);
        Ok(())
    }

    /// Undoes what a transaction has written.
    pub(super) fn roll_back(&self) {
        drop(End(self));
    }

    /// Forgets everything when somebody else has written since the last look, and tells.
    fn has_moved(&self) -> Sql<bool> {
        let mut statement = self.sql.prepare_cached("PRAGMA data_version")?;
        let version = statement.query_row([], |row| row.get(0))?;
        if self.version.replace(version) == version {
            return Ok(false);
        }
        self.memory.forget();
        Ok(true)
    }

    fn execute(&self, sql: &str) -> Sql<()> {
        self.sql.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// Ends whatever transaction is open; a write that was not committed by now is undone.
struct End<'a>(&'a Connection);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.0.stage.replace(Stage::Recalling) != Stage::Recalling {
            // A failing rollback means that SQLite has rolled back already.
            drop(self.0.execute("ROLLBACK"));
        }
    }
}
