-- Opaque access tokens, and what the purge looks for.

CREATE TABLE access_tokens (
    token_hash      TEXT PRIMARY KEY,
    claims          TEXT NOT NULL,
    expires_at      TEXT NOT NULL
) STRICT;
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);
