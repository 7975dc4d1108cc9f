-- Opaque access tokens, and what the purge looks for.

CREATE TABLE access_tokens (
    token_hash      TEXT PRIMARY KEY,
    claims          JSONB NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);
