-- When the round closes by the definition that its log starts from. An extension moves closes_at, and the definition's
-- hash could not be computed again without the time that it was computed with. Of a round that has been extended
-- already that time is lost: it then says so when it is verified.
ALTER TABLE rounds ADD COLUMN first_closes_at TIMESTAMP;
UPDATE rounds SET first_closes_at = closes_at;
ALTER TABLE rounds ALTER COLUMN first_closes_at SET NOT NULL;
