-- One-time links with which an administrator sees what an application would be told of them.

CREATE TABLE test_logins (
    token_hash      TEXT PRIMARY KEY,
    application_id  TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scope           TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    used_at         TIMESTAMPTZ
);
CREATE INDEX test_logins_expiry ON test_logins (expires_at);
