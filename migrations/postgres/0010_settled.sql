-- When nothing was left to do: fingerprint of what was read, fingerprint of what it was judged by, and the run that saw
-- it. A run that reads the same again ends there. NULL when it is not known, and after every apply that leaves something.
ALTER TABLE source_state ADD COLUMN settled_content TEXT;
ALTER TABLE source_state ADD COLUMN settled_ground TEXT;
ALTER TABLE source_state ADD COLUMN settled_run_id UUID;

-- Fingerprint of what was read, where nothing is left to do once the plan is applied.
ALTER TABLE plans ADD COLUMN settles TEXT;
