-- Rounds, who and what they are about, the append-only log, and the ballots that count now.
-- The same tables as in migrations/postgres; a test compares them.

CREATE TABLE rounds (
    id                TEXT      NOT NULL PRIMARY KEY,
    title_sv          TEXT      NOT NULL,
    title_en          TEXT      NOT NULL,
    participant_kind  TEXT      NOT NULL,
    opens_at          TIMESTAMP NOT NULL,
    closes_at         TIMESTAMP NOT NULL,
    picks_min         INTEGER   NOT NULL,
    picks_max         INTEGER   NOT NULL,
    rule              TEXT      NOT NULL,
    points            TEXT      NOT NULL,
    cut               INTEGER   NOT NULL,
    visibility        TEXT      NOT NULL,
    ballot_book       TEXT      NOT NULL,
    require_condition BOOLEAN   NOT NULL,
    ladder            TEXT      NOT NULL,
    lot               TEXT,
    lot_source        TEXT,
    synthetic         BOOLEAN   NOT NULL,
    state             TEXT      NOT NULL,
    opened_at         TIMESTAMP,
    closed_at         TIMESTAMP,
    sequence          BIGINT    NOT NULL,
    head              TEXT      NOT NULL,
    last_at           TIMESTAMP,
    revision          INTEGER   NOT NULL
);

CREATE TABLE initiatives (
    round_id TEXT    NOT NULL REFERENCES rounds (id),
    id       TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    title_sv TEXT    NOT NULL,
    title_en TEXT    NOT NULL,
    area     TEXT,
    owner    TEXT,
    status   TEXT    NOT NULL,
    source   TEXT,
    PRIMARY KEY (round_id, id)
);

CREATE TABLE participants (
    round_id   TEXT NOT NULL REFERENCES rounds (id),
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    population INTEGER,
    weight     TEXT NOT NULL,
    PRIMARY KEY (round_id, code)
);

-- Group memberships: any column of the roll, as round, participant, column, value.
CREATE TABLE memberships (
    round_id         TEXT    NOT NULL,
    participant_code TEXT    NOT NULL,
    position         INTEGER NOT NULL,
    column_name      TEXT    NOT NULL,
    value            TEXT    NOT NULL,
    PRIMARY KEY (round_id, participant_code, column_name),
    FOREIGN KEY (round_id, participant_code) REFERENCES participants (round_id, code)
);

-- One row an event, numbered without gaps in each round, chained by hash.
CREATE TABLE log_entries (
    round_id         TEXT      NOT NULL REFERENCES rounds (id),
    sequence         BIGINT    NOT NULL,
    at               TIMESTAMP NOT NULL,
    kind             TEXT      NOT NULL,
    participant_code TEXT,
    revision         INTEGER,
    event            TEXT      NOT NULL,
    hash             TEXT      NOT NULL,
    PRIMARY KEY (round_id, sequence)
) WITHOUT ROWID;

CREATE INDEX log_entries_by_participant ON log_entries (round_id, participant_code, sequence);

CREATE TRIGGER log_entries_are_not_changed BEFORE UPDATE ON log_entries
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- REPLACE deletes without asking the trigger below.
CREATE TRIGGER log_entries_are_not_replaced BEFORE INSERT ON log_entries
WHEN EXISTS (SELECT 1 FROM log_entries WHERE round_id = NEW.round_id AND sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_entries_are_not_deleted BEFORE DELETE ON log_entries
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- The latest revision of each participant; no ranking: withdrawn. The ranking is one compact column,
-- because a row a pick costs six times as much. answered_at: since when there has been a ballot without a break.
CREATE TABLE ballots (
    round_id         TEXT    NOT NULL,
    participant_code TEXT    NOT NULL,
    revision         INTEGER NOT NULL,
    sequence         BIGINT  NOT NULL,
    ranking          TEXT,
    answered_at      TIMESTAMP,
    synthetic        BOOLEAN NOT NULL,
    PRIMARY KEY (round_id, participant_code),
    FOREIGN KEY (round_id, participant_code) REFERENCES participants (round_id, code)
) WITHOUT ROWID;

-- References and comments: the log holds only their salted hashes, so they can be erased.
CREATE TABLE private_texts (
    round_id TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    field    TEXT   NOT NULL,
    salt     TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    PRIMARY KEY (round_id, sequence, field),
    FOREIGN KEY (round_id, sequence) REFERENCES log_entries (round_id, sequence)
);
