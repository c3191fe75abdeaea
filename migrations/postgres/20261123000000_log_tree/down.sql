DROP TRIGGER rounds_changes_are_told_of ON rounds;
DROP TRIGGER rounds_are_told_of ON rounds;
DROP FUNCTION tell_of_round();
DROP INDEX log_entries_other_than_ballots;
DROP TABLE log_subtrees;
