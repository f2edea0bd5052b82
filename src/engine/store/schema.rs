//! The tables, and the versions that they have had.

use rusqlite::Connection;

use super::OpenError;

/// The version that this program writes.
const VERSION: i64 = 1;

/// Times are milliseconds of the epoch. A key's other rows go with it.
const TABLES: &str = "
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
CREATE INDEX keys_deletion ON keys (deletion) WHERE deletion IS NOT NULL;
CREATE INDEX keys_rotation ON keys (rotation_next)
    WHERE rotation_next IS NOT NULL AND enabled = 1 AND deletion IS NULL;

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
CREATE INDEX aliases_key ON aliases (key);

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
CREATE INDEX grants_name ON grants (key, name) WHERE name IS NOT NULL;
CREATE INDEX grants_retiring ON grants (retiring) WHERE retiring IS NOT NULL;
";

/// Makes the tables of a new database; refuses one of a later version.
pub(crate) fn prepare(connection: &Connection) -> Result<(), OpenError> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    // Looked at again under the lock, since another process may have made them meanwhile.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let made = match version(connection)? {
        0 => connection
            .execute_batch(TABLES)
            .and_then(|()| connection.pragma_update(None, "user_version", VERSION))
            .map_err(OpenError::from),
        VERSION => Ok(()),
        found => Err(OpenError::Newer {
            found,
            known: VERSION,
        }),
    };
    connection.execute_batch(if made.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    made
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
