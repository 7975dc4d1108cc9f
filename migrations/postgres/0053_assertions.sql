-- Assertions of trusted issuers that were used (RFC 7523), until they would not be accepted any more anyway.

CREATE TABLE used_assertions (
    digest          TEXT PRIMARY KEY,
    expires_at      TIMESTAMPTZ NOT NULL
);
