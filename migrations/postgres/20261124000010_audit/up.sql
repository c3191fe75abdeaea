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
);

CREATE INDEX audit_entries_by_time ON audit_entries (at);
-- Few: the checkpoints, each of which says up to where entries may be deleted.
CREATE INDEX audit_entries_checkpoints ON audit_entries (covers) WHERE covers IS NOT NULL;

-- One row: how far the chain has come. Whoever appends takes it first.
CREATE TABLE audit_chain (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence BIGINT  NOT NULL,
    head     TEXT    NOT NULL
);
INSERT INTO audit_chain (id, sequence, head)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END
$$;
CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- Only what a checkpoint covers may go.
CREATE FUNCTION refuse_audit_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_entries WHERE covers >= OLD.sequence) THEN
        RAISE EXCEPTION 'the audit trail is append-only';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER audit_entries_are_not_deleted BEFORE DELETE ON audit_entries
FOR EACH ROW EXECUTE FUNCTION refuse_audit_deletion();
