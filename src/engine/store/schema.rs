//! The tables, and the versions that they have had.

use rusqlite::Connection;

use super::{OpenError, iam};

/// What each version added to the one before; a database's version is the number of steps that it has taken.
const STEPS: &[&str] = &[FIRST, SECOND, iam::TABLES];

/// Times are milliseconds of the epoch. A key's other rows go with it.
const FIRST: &str = "
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    row             INTEGER PRIMARY KEY,
    account         TEXT NOT NULL,
    region          TEXT NOT NULL,
    id              TEXT NOT NULL,
    description     TEXT NOT NULL,
    spec            TEXT NOT NULL,
    usage           TEXT NOT NULL,
    origin          TEXT NOT NULL,
    enabled         INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    deletion        INTEGER,
    rotation_period INTEGER,
    rotation_next   INTEGER,
    material        TEXT,
    used            INTEGER,
    used_operation  TEXT,
    used_request    TEXT,
    UNIQUE (account, region, id)
) STRICT;
CREATE INDEX keys_deletion ON keys (deletion);
CREATE INDEX keys_rotation ON keys (enabled, deletion, rotation_next);

CREATE TABLE key_material (
    row     INTEGER PRIMARY KEY,
    key     INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    id      TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    public  BLOB,
    created INTEGER NOT NULL,
    UNIQUE (id, key)
) STRICT;
CREATE INDEX key_material_key ON key_material (key);

CREATE TABLE rotations (
    row      INTEGER PRIMARY KEY,
    key      INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    material TEXT NOT NULL,
    kind     TEXT NOT NULL,
    date     INTEGER NOT NULL
) STRICT;
CREATE INDEX rotations_key ON rotations (key);

CREATE TABLE policies (
    key  INTEGER PRIMARY KEY REFERENCES keys ON DELETE CASCADE,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE aliases (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    key     INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_key ON aliases (key, name);

CREATE TABLE tags (
    key   INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    row               INTEGER PRIMARY KEY,
    key               INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    id                TEXT NOT NULL UNIQUE,
    name              TEXT,
    grantee           TEXT,
    grantee_service   TEXT,
    retiring          TEXT,
    retiring_service  TEXT,
    operations        TEXT NOT NULL,
    context_subset    TEXT,
    context_equals    TEXT,
    source_arn        TEXT,
    issuing_account   TEXT NOT NULL,
    created           INTEGER NOT NULL
) STRICT;
CREATE INDEX grants_key ON grants (key);
CREATE INDEX grants_grantee ON grants (key, grantee);
CREATE INDEX grants_name ON grants (key, name);
CREATE INDEX grants_retiring ON grants (retiring);
";

/// Imported material, which comes and goes, multi-Region keys, and key stores.
///
/// `complete` is false while material that a key needs is not there, `available` while its key store is disconnected.
/// `deadlines` are the times at which something may be due, so that one look tells that nothing is.
const SECOND: &str = "
ALTER TABLE keys ADD COLUMN multi_region TEXT;
ALTER TABLE keys ADD COLUMN deletion_window INTEGER;
ALTER TABLE keys ADD COLUMN transition TEXT;
ALTER TABLE keys ADD COLUMN transition_end INTEGER;
ALTER TABLE keys ADD COLUMN key_store TEXT;
ALTER TABLE keys ADD COLUMN xks_key TEXT;
ALTER TABLE keys ADD COLUMN available INTEGER NOT NULL DEFAULT 1;
ALTER TABLE keys ADD COLUMN complete INTEGER NOT NULL DEFAULT 1;
UPDATE keys SET complete = 0 WHERE material IS NULL;
CREATE INDEX keys_related ON keys (account, id) WHERE multi_region IS NOT NULL;
CREATE INDEX keys_transition ON keys (transition_end) WHERE transition_end IS NOT NULL;
CREATE INDEX keys_store ON keys (key_store) WHERE key_store IS NOT NULL;

CREATE TABLE pieces (
    row         INTEGER PRIMARY KEY,
    key         INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE,
    id          TEXT NOT NULL,
    sealed      BLOB,
    public      BLOB,
    created     INTEGER NOT NULL,
    pending     INTEGER NOT NULL DEFAULT 0,
    valid_to    INTEGER,
    description TEXT,
    UNIQUE (id, key)
) STRICT;
INSERT INTO pieces (row, key, id, sealed, public, created) SELECT row, key, id, sealed, public, created FROM key_material;
DROP TABLE key_material;
ALTER TABLE pieces RENAME TO key_material;
CREATE INDEX key_material_key ON key_material (key);
CREATE INDEX key_material_valid_to ON key_material (valid_to) WHERE valid_to IS NOT NULL;

CREATE TABLE key_stores (
    row            INTEGER PRIMARY KEY,
    account        TEXT NOT NULL,
    region         TEXT NOT NULL,
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    created        INTEGER NOT NULL,
    state          TEXT NOT NULL,
    transition_end INTEGER,
    error          TEXT,
    cluster        TEXT,
    certificate    TEXT,
    connectivity   TEXT,
    endpoint       TEXT,
    path           TEXT,
    service        TEXT,
    service_owner  TEXT,
    access_key     TEXT,
    secret         BLOB NOT NULL,
    UNIQUE (account, region, name)
) STRICT;
CREATE INDEX key_stores_transition ON key_stores (transition_end) WHERE transition_end IS NOT NULL;

CREATE TABLE deadlines (
    time INTEGER PRIMARY KEY
) STRICT;
INSERT INTO deadlines SELECT deletion FROM keys WHERE deletion IS NOT NULL
    UNION SELECT rotation_next FROM keys WHERE rotation_next IS NOT NULL;
CREATE TRIGGER keys_update_deletion AFTER UPDATE OF deletion ON keys WHEN new.deletion IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.deletion); END;
CREATE TRIGGER keys_update_rotation_next AFTER UPDATE OF rotation_next ON keys WHEN new.rotation_next IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.rotation_next); END;
CREATE TRIGGER keys_update_transition_end AFTER UPDATE OF transition_end ON keys WHEN new.transition_end IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.transition_end); END;
CREATE TRIGGER keys_insert_transition_end AFTER INSERT ON keys WHEN new.transition_end IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.transition_end); END;
CREATE TRIGGER key_material_update_valid_to AFTER UPDATE OF valid_to ON key_material WHEN new.valid_to IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.valid_to); END;
CREATE TRIGGER key_stores_update_transition_end AFTER UPDATE OF transition_end ON key_stores WHEN new.transition_end IS NOT NULL
    BEGIN INSERT OR IGNORE INTO deadlines VALUES (new.transition_end); END;
";

/// Brings a database to this version, whether it is new or old; refuses one of a later version.
pub(crate) fn prepare(connection: &Connection) -> Result<(), OpenError> {
    if steps_left(connection)?.is_empty() {
        return Ok(());
    }
    // Looked at again under the lock, since another process may have taken them meanwhile.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let taken = take_steps(connection);
    connection.execute_batch(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    taken
}

fn take_steps(connection: &Connection) -> Result<(), OpenError> {
    for step in steps_left(connection)? {
        connection.execute_batch(step)?;
    }
    Ok(connection.pragma_update(None, "user_version", latest())?)
}

fn steps_left(connection: &Connection) -> Result<&'static [&'static str], OpenError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = latest();
    let taken = usize::try_from(found).ok();
    taken
        .and_then(|taken| STEPS.get(taken..))
        .ok_or(OpenError::Newer { found, known })
}

fn latest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}
