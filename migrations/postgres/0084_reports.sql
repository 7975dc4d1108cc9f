-- Reports by mail and webhook: an outbox. Runs say what of them was told; a report is queued once for each occasion.
ALTER TABLE runs ADD COLUMN reported_state TEXT;
UPDATE runs SET reported_state = state WHERE state <> 'running';

CREATE TABLE report_deliveries (
    id          UUID PRIMARY KEY,
    report      TEXT NOT NULL,
    channel     TEXT NOT NULL,
    occasion    TEXT NOT NULL,
    body        JSONB NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    due_at      TIMESTAMPTZ NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT,
    done_at     TIMESTAMPTZ,
    UNIQUE (report, channel, occasion)
);
CREATE INDEX report_deliveries_due ON report_deliveries (due_at);

CREATE TABLE report_times (
    report      TEXT PRIMARY KEY,
    last_due    TIMESTAMPTZ NOT NULL
);
