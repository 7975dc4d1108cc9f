-- Findings become a work list: somebody's, accepted for a while with a reason, resolved when a run no longer finds them.
ALTER TABLE findings ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
ALTER TABLE findings ADD COLUMN owner TEXT;
ALTER TABLE findings ADD COLUMN reason TEXT;
ALTER TABLE findings ADD COLUMN accepted_by TEXT;
ALTER TABLE findings ADD COLUMN accepted_until TEXT;
ALTER TABLE findings ADD COLUMN resolved_at TEXT;
CREATE INDEX findings_state ON findings (state, source);
