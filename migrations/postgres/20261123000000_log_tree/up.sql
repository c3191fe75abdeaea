-- The Merkle tree over the log: roots of complete subtrees of 256^level entries. They follow from the entries; they
-- are kept so that a proof need not read the whole log.
CREATE TABLE log_subtrees (
    round_id TEXT    NOT NULL REFERENCES rounds (id),
    level    INTEGER NOT NULL,
    position BIGINT  NOT NULL,
    hash     TEXT    NOT NULL,
    PRIMARY KEY (round_id, level, position)
);

-- Few among many ballots, and needed to know a round as it was.
CREATE INDEX log_entries_other_than_ballots ON log_entries (round_id, sequence) WHERE kind <> 'ballot';

-- Other instances are told of a commit when it is done, by the commit itself: no statement of its own.
CREATE FUNCTION tell_of_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('handslag_rounds', NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER rounds_are_told_of AFTER INSERT ON rounds FOR EACH ROW EXECUTE FUNCTION tell_of_round();
CREATE TRIGGER rounds_changes_are_told_of AFTER UPDATE ON rounds FOR EACH ROW
WHEN (OLD.sequence <> NEW.sequence OR OLD.revision <> NEW.revision) EXECUTE FUNCTION tell_of_round();
