-- The systems that may ask for tokens, what they show who they are with, and the keys that tokens are signed with.
-- No private key and no secret is here: public halves and hashes.

-- Counts the changes of clients and keys. Every change takes this row first; who follows looks at nothing else.
CREATE TABLE registry (
    id      INTEGER NOT NULL PRIMARY KEY,
    version BIGINT  NOT NULL
);
INSERT INTO registry (id, version) VALUES (1, 0);

CREATE TABLE clients (
    id          TEXT      NOT NULL PRIMARY KEY,
    kind        TEXT      NOT NULL,
    participant TEXT,
    scopes      TEXT      NOT NULL,
    name        TEXT      NOT NULL,
    auth_method TEXT      NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    disabled_at TIMESTAMP,
    revision    INTEGER   NOT NULL
);

-- A public JWK or the hash of a secret. Two at a time while one takes the place of the other.
CREATE TABLE client_credentials (
    client_id  TEXT      NOT NULL REFERENCES clients (id),
    id         TEXT      NOT NULL,
    value      TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    ends_at    TIMESTAMP,
    PRIMARY KEY (client_id, id)
);

-- Assertions that have been taken, until they end by themselves: none is taken twice.
CREATE TABLE used_assertions (
    client_id TEXT   NOT NULL,
    jti       TEXT   NOT NULL,
    ends      BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti)
) WITHOUT ROWID;
CREATE INDEX used_assertions_by_end ON used_assertions (ends);

-- The public halves of the keys that sign tokens; each instance has the private halves of its own.
CREATE TABLE token_keys (
    kid        TEXT      NOT NULL PRIMARY KEY,
    public     TEXT      NOT NULL,
    created_at TIMESTAMP NOT NULL,
    signs_from TIMESTAMP NOT NULL,
    retires_at TIMESTAMP
);
