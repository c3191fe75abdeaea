-- The audit trail: who did what when. Append-only and chained by hash, as the ballot log is, but one chain for the whole
-- database. The columns beside `event` are for searching; they say what it says.
CREATE TABLE audit_entries (
    sequence         BIGINT    NOT NULL PRIMARY KEY,
    at               TIMESTAMP NOT NULL,
    operation        TEXT      NOT NULL,
    outcome          TEXT      NOT NULL,
    client           TEXT,
    target_id        TEXT,
    organisation     TEXT,
    round_id         TEXT,
    participant_code TEXT,
    covers           BIGINT,
    event            TEXT      NOT NULL,
    hash             TEXT      NOT NULL
) WITHOUT ROWID;

CREATE INDEX audit_entries_by_time ON audit_entries (at);
-- Few: the checkpoints, each of which says up to where entries may be deleted.
CREATE INDEX audit_entries_checkpoints ON audit_entries (covers) WHERE covers IS NOT NULL;

-- One row: how far the chain has come. Whoever appends takes it first.
CREATE TABLE audit_chain (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence BIGINT  NOT NULL,
    head     TEXT    NOT NULL
) WITHOUT ROWID;
INSERT INTO audit_chain (id, sequence, head)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
-- REPLACE deletes without asking the trigger below.
CREATE TRIGGER audit_entries_are_not_replaced BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
-- Only what a checkpoint covers may go.
CREATE TRIGGER audit_entries_are_not_deleted BEFORE DELETE ON audit_entries
WHEN NOT EXISTS (SELECT 1 FROM audit_entries WHERE covers >= OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
