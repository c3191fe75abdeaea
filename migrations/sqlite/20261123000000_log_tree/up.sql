-- The Merkle tree over the log: roots of complete subtrees of 256^level entries. They follow from the entries; they
-- are kept so that a proof need not read the whole log.
CREATE TABLE log_subtrees (
    round_id TEXT    NOT NULL REFERENCES rounds (id),
    level    INTEGER NOT NULL,
    position BIGINT  NOT NULL,
    hash     TEXT    NOT NULL,
    PRIMARY KEY (round_id, level, position)
) WITHOUT ROWID;

-- Few among many ballots, and needed to know a round as it was.
CREATE INDEX log_entries_other_than_ballots ON log_entries (round_id, sequence) WHERE kind <> 'ballot';
