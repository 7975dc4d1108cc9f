-- Authorization requests that applications pushed ahead (RFC 9126), until they are answered or expire.

CREATE TABLE pushed_requests (
    request_hash    TEXT PRIMARY KEY,
    application_id  TEXT NOT NULL,
    parameters      TEXT NOT NULL,
    is_signed       BOOLEAN NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    opened_at       TIMESTAMPTZ,
    used_at         TIMESTAMPTZ
);
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_at);
