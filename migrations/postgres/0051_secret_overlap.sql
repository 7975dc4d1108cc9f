-- Two secrets of one application for a while: the old one ends by itself.

ALTER TABLE applications ADD COLUMN secret_since TIMESTAMPTZ;
ALTER TABLE applications ADD COLUMN old_secret_hash TEXT;
ALTER TABLE applications ADD COLUMN old_secret_until TIMESTAMPTZ;
