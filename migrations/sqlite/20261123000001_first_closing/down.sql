ALTER TABLE rounds DROP COLUMN first_closes_at;
