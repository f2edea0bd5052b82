//! IAM's part of the store: users, roles and groups, their policies, and access keys.

pub(crate) mod access_keys;
pub(crate) mod entities;
pub(crate) mod inline;
pub(crate) mod managed;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::IdentityPolicy;

/// What a user or role carries into decisions.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) arn: String,
    pub(crate) policies: Arc<[IdentityPolicy]>,
    pub(crate) boundary: Option<IdentityPolicy>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The tables of IAM. What hangs on a user, role or group goes with it; names are one whatever their case.
pub(super) const TABLES: &str = "
CREATE TABLE iam_entities (
    row         INTEGER PRIMARY KEY,
    partition   TEXT NOT NULL,
    account     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL COLLATE NOCASE,
    path        TEXT NOT NULL,
    id          TEXT NOT NULL UNIQUE,
    created     INTEGER NOT NULL,
    description TEXT,
    trust       TEXT,
    longest     INTEGER,
    boundary    TEXT,
    UNIQUE (account, kind, name)
) STRICT;

CREATE TABLE iam_tags (
    entity INTEGER NOT NULL REFERENCES iam_entities ON DELETE CASCADE,
    name   TEXT NOT NULL COLLATE NOCASE,
    value  TEXT NOT NULL,
    PRIMARY KEY (entity, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE iam_members (
    member INTEGER NOT NULL REFERENCES iam_entities ON DELETE CASCADE,
    team   INTEGER NOT NULL REFERENCES iam_entities ON DELETE CASCADE,
    PRIMARY KEY (member, team)
) STRICT, WITHOUT ROWID;
CREATE INDEX iam_members_team ON iam_members (team);

CREATE TABLE iam_inline_policies (
    entity INTEGER NOT NULL REFERENCES iam_entities ON DELETE CASCADE,
    name   TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (entity, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE iam_policies (
    row         INTEGER PRIMARY KEY,
    arn         TEXT NOT NULL UNIQUE,
    account     TEXT NOT NULL,
    name        TEXT NOT NULL COLLATE NOCASE,
    path        TEXT NOT NULL,
    id          TEXT NOT NULL UNIQUE,
    description TEXT,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    in_force    INTEGER NOT NULL,
    newest      INTEGER NOT NULL,
    UNIQUE (account, name)
) STRICT;

CREATE TABLE iam_policy_versions (
    policy  INTEGER NOT NULL REFERENCES iam_policies ON DELETE CASCADE,
    version INTEGER NOT NULL,
    text    TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (policy, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE iam_attachments (
    entity INTEGER NOT NULL REFERENCES iam_entities ON DELETE CASCADE,
    policy TEXT NOT NULL,
    PRIMARY KEY (entity, policy)
) STRICT, WITHOUT ROWID;
CREATE INDEX iam_attachments_policy ON iam_attachments (policy);

CREATE TABLE iam_access_keys (
    id        TEXT PRIMARY KEY,
    partition TEXT NOT NULL,
    account   TEXT NOT NULL,
    entity    INTEGER REFERENCES iam_entities ON DELETE CASCADE,
    sealed    BLOB NOT NULL,
    active    INTEGER NOT NULL,
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX iam_access_keys_entity ON iam_access_keys (entity);
";
