DROP INDEX log_entries_other_than_ballots;
DROP TABLE log_subtrees;
