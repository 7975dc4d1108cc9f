-- Runs, plans, findings and the change log.

CREATE TABLE runs (
    id          BLOB PRIMARY KEY,
    source      TEXT NOT NULL,
    state       TEXT NOT NULL,
    started_by  TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    plan_id     BLOB,
    report      TEXT NOT NULL
) STRICT;
CREATE INDEX runs_source ON runs (source, started_at);

-- A plan is made once and applied exactly; `undoes` names the plan that an undo takes back.
CREATE TABLE plans (
    id          BLOB PRIMARY KEY,
    source      TEXT NOT NULL,
    run_id      BLOB NOT NULL,
    state       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    ground      TEXT NOT NULL,
    guard       TEXT NOT NULL,
    summary     TEXT NOT NULL,
    findings    TEXT NOT NULL,
    undoes      BLOB,
    created_at  TEXT NOT NULL,
    expires_at  TEXT NOT NULL,
    decided_at  TEXT,
    decided_by  TEXT,
    applied_at  TEXT
) STRICT;
CREATE INDEX plans_source ON plans (source, created_at);

CREATE TABLE plan_changes (
    plan_id     BLOB NOT NULL REFERENCES plans (id),
    seq         INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id   BLOB NOT NULL,
    before      TEXT,
    after       TEXT,
    PRIMARY KEY (plan_id, seq)
) STRICT;

-- The links as they will be once the plan is applied; emptied by the apply. `password` is a new hash, empty to forget
-- the old one, NULL to keep it: hashes are never part of a change's documents.
CREATE TABLE plan_links (
    plan_id     BLOB NOT NULL REFERENCES plans (id),
    kind        TEXT NOT NULL,
    external_id TEXT NOT NULL,
    object_id   BLOB NOT NULL,
    dn          TEXT NOT NULL,
    digest      TEXT NOT NULL,
    password    TEXT,
    PRIMARY KEY (plan_id, kind, external_id)
) STRICT;

CREATE TABLE findings (
    source      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    code        TEXT NOT NULL,
    dn          TEXT NOT NULL,
    arguments   TEXT NOT NULL,
    details     TEXT NOT NULL,
    quarantined INTEGER NOT NULL,
    run_id      BLOB NOT NULL,
    first_seen  TEXT NOT NULL,
    last_seen   TEXT NOT NULL,
    PRIMARY KEY (source, external_id, code)
) STRICT;

-- The ordered outbox: everything downstream reads it by cursor.
CREATE TABLE change_log (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    run_id      BLOB,
    kind        TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id   BLOB NOT NULL,
    before      TEXT,
    after       TEXT
) STRICT;
CREATE INDEX change_log_object ON change_log (object_id, seq);
CREATE INDEX change_log_run ON change_log (run_id);
CREATE INDEX change_log_kind ON change_log (kind, at);

-- What a source looked like when it was last applied: the guard compares with it.
CREATE TABLE source_state (
    source          TEXT PRIMARY KEY,
    scope_digest    TEXT NOT NULL,
    roles_digest    TEXT NOT NULL,
    last_run_id     BLOB NOT NULL,
    last_applied_at TEXT NOT NULL,
    users_seen      INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;
