-- Sign-ins that one device asks for and a person approves on another: RFC 8628 (device) and CIBA.

CREATE TABLE decoupled_requests (
    secret_hash     TEXT PRIMARY KEY,
    id              UUID NOT NULL UNIQUE,
    kind            TEXT NOT NULL,
    user_code_hash  TEXT UNIQUE,
    user_id         UUID REFERENCES users (id),
    application_id  TEXT NOT NULL,
    scope           TEXT NOT NULL,
    details         JSONB NOT NULL,
    state           TEXT NOT NULL,
    grant_id        UUID,
    address         TEXT NOT NULL,
    poll_seconds    BIGINT NOT NULL,
    polled_at       TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    decided_at      TIMESTAMPTZ
);
CREATE INDEX decoupled_requests_expiry ON decoupled_requests (expires_at);
CREATE INDEX decoupled_requests_user ON decoupled_requests (user_id, state);
