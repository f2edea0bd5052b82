-- A database of the first version with a symmetric key that was rotated once, and an external key without material.
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

INSERT INTO keys (row, account, region, id, description, spec, usage, origin, enabled, created, material)
VALUES (1, '111122223333', 'eu-central-1', '11111111-1111-4111-8111-111111111111', '', 'SYMMETRIC_DEFAULT',
        'ENCRYPT_DECRYPT', 'AWS_KMS', 1, 0, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'),
       (2, '111122223333', 'eu-central-1', '22222222-2222-4222-8222-222222222222', '', 'SYMMETRIC_DEFAULT',
        'ENCRYPT_DECRYPT', 'EXTERNAL', 0, 0, NULL);
INSERT INTO rotations (key, material, kind, date)
VALUES (1, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'ON_DEMAND', 0);
INSERT INTO policies (key, text) VALUES
    (1, '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}]}'),
    (2, '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}]}');
PRAGMA user_version = 1;
