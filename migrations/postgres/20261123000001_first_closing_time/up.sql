-- The closing time at the opening, if it was moved since: the log starts from the hash of the definition with it, and a
-- round as it was before an extension closes then. Rounds that were extended before this column was there do not know it.
ALTER TABLE rounds ADD COLUMN extended_from TIMESTAMP;
