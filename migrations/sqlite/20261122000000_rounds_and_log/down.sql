DROP TABLE private_texts;
DROP TABLE ballots;
DROP TABLE log_entries;
DROP TABLE memberships;
DROP TABLE participants;
DROP TABLE initiatives;
DROP TABLE rounds;
