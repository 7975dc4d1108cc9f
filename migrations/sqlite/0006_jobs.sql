-- Scheduled work: a lease lets one node run a job.

CREATE TABLE leases (
    name        TEXT PRIMARY KEY,
    holder      TEXT NOT NULL,
    expires_at  TEXT NOT NULL
) STRICT;

CREATE TABLE schedules (
    name        TEXT PRIMARY KEY,
    last_due_at TEXT NOT NULL
) STRICT;
