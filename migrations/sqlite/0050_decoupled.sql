-- Sign-ins that one device asks for and a person approves on another: RFC 8628 (device) and CIBA.

CREATE TABLE decoupled_requests (
    secret_hash     TEXT PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    kind            TEXT NOT NULL,
    user_code_hash  TEXT UNIQUE,
    user_id         BLOB REFERENCES users (id),
    application_id  TEXT NOT NULL,
    scope           TEXT NOT NULL,
    details         TEXT NOT NULL,
    state           TEXT NOT NULL,
    grant_id        BLOB,
    address         TEXT NOT NULL,
    poll_seconds    INTEGER NOT NULL,
    polled_at       TEXT,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    decided_at      TEXT
) STRICT;
CREATE INDEX decoupled_requests_expiry ON decoupled_requests (expires_at);
CREATE INDEX decoupled_requests_user ON decoupled_requests (user_id, state);
