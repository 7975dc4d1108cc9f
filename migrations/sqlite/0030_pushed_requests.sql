-- Authorization requests that applications pushed ahead (RFC 9126), until they are answered or expire.

CREATE TABLE pushed_requests (
    request_hash    TEXT PRIMARY KEY,
    application_id  TEXT NOT NULL,
    parameters      TEXT NOT NULL,
    is_signed       INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    opened_at       TEXT,
    used_at         TEXT
) STRICT;
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);
