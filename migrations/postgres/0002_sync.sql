-- Runs, plans, findings and the change log.

CREATE TABLE runs (
    id          UUID PRIMARY KEY,
    source      TEXT NOT NULL,
    state       TEXT NOT NULL,
    started_by  TEXT NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ,
    plan_id     UUID,
    report      JSONB NOT NULL
);
CREATE INDEX runs_source ON runs (source, started_at);

-- A plan is made once and applied exactly; `undoes` names the plan that an undo takes back.
CREATE TABLE plans (
    id          UUID PRIMARY KEY,
    source      TEXT NOT NULL,
    run_id      UUID NOT NULL,
    state       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    ground      TEXT NOT NULL,
    guard       JSONB NOT NULL,
    summary     JSONB NOT NULL,
    findings    JSONB NOT NULL,
    undoes      UUID,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    decided_at  TIMESTAMPTZ,
    decided_by  TEXT,
    applied_at  TIMESTAMPTZ
);
CREATE INDEX plans_source ON plans (source, created_at);

CREATE TABLE plan_changes (
    plan_id     UUID NOT NULL REFERENCES plans (id),
    seq         BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id   UUID NOT NULL,
    before      JSONB,
    after       JSONB,
    PRIMARY KEY (plan_id, seq)
);

-- The links as they will be once the plan is applied; emptied by the apply. `password` is a new hash, empty to forget
-- the old one, NULL to keep it: hashes are never part of a change's documents.
CREATE TABLE plan_links (
    plan_id     UUID NOT NULL REFERENCES plans (id),
    kind        TEXT NOT NULL,
    external_id TEXT NOT NULL,
    object_id   UUID NOT NULL,
    dn          TEXT NOT NULL,
    digest      TEXT NOT NULL,
    password    TEXT,
    PRIMARY KEY (plan_id, kind, external_id)
);

CREATE TABLE findings (
    source      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    code        TEXT NOT NULL,
    dn          TEXT NOT NULL,
    arguments   JSONB NOT NULL,
    details     TEXT NOT NULL,
    quarantined BOOLEAN NOT NULL,
    run_id      UUID NOT NULL,
    first_seen  TIMESTAMPTZ NOT NULL,
    last_seen   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, external_id, code)
);

-- The ordered outbox: everything downstream reads it by cursor.
CREATE TABLE change_log (
    seq         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL,
    run_id      UUID,
    kind        TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id   UUID NOT NULL,
    before      JSONB,
    after       JSONB
);
CREATE INDEX change_log_object ON change_log (object_id, seq);
CREATE INDEX change_log_run ON change_log (run_id);
CREATE INDEX change_log_kind ON change_log (kind, at);

-- What a source looked like when it was last applied: the guard compares with it.
CREATE TABLE source_state (
    source          TEXT PRIMARY KEY,
    scope_digest    TEXT NOT NULL,
    roles_digest    TEXT NOT NULL,
    last_run_id     UUID NOT NULL,
    last_applied_at TIMESTAMPTZ NOT NULL,
    users_seen      BIGINT NOT NULL,
    version         BIGINT NOT NULL
);
