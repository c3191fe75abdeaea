ALTER TABLE rounds DROP COLUMN extended_from;
