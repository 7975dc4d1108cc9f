-- Documents are kept as the text they were written as: the digest of a plan is over that text, and `jsonb` would take them
-- apart and write them anew for each of two tables.
ALTER TABLE plan_changes ALTER COLUMN before TYPE JSON USING before::TEXT::JSON,
    ALTER COLUMN after TYPE JSON USING after::TEXT::JSON;
ALTER TABLE change_log ALTER COLUMN before TYPE JSON USING before::TEXT::JSON,
    ALTER COLUMN after TYPE JSON USING after::TEXT::JSON;
