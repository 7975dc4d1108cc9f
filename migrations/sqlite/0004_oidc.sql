-- Applications, signing keys, authorization codes, refresh tokens.

CREATE TABLE applications (
    id                      TEXT PRIMARY KEY,
    name                    TEXT NOT NULL,
    declared                INTEGER NOT NULL,
    enabled                 INTEGER NOT NULL,
    auth_method             TEXT NOT NULL,
    secret_hash             TEXT,
    settings                TEXT NOT NULL,
    created_at              TEXT NOT NULL,
    updated_at              TEXT NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    kid             TEXT PRIMARY KEY,
    algorithm       TEXT NOT NULL,
    state           TEXT NOT NULL,
    sealed          TEXT NOT NULL,
    public_jwk      TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    activated_at    TEXT,
    retired_at      TEXT
) STRICT;
-- One key signs and one waits, whatever two nodes do at the same moment.
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (algorithm, state) WHERE state <> 'retired';

-- One row per grant: all that was issued from one authorization. Revoking it kills every refresh and access token of it.
CREATE TABLE grants (
    id              BLOB PRIMARY KEY,
    application_id  TEXT NOT NULL,
    user_id         BLOB REFERENCES users (id),
    session_id      BLOB,
    scope           TEXT NOT NULL,
    auth_time       TEXT NOT NULL,
    amr             TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    revoked_at      TEXT,
    revoked_reason  TEXT
) STRICT;
CREATE INDEX grants_user ON grants (user_id, revoked_at);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_expiry ON grants (expires_at);

CREATE TABLE authorization_codes (
    code_hash       TEXT PRIMARY KEY,
    grant_id        BLOB NOT NULL REFERENCES grants (id),
    redirect_uri    TEXT NOT NULL,
    nonce           TEXT,
    code_challenge  TEXT,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    used_at         TEXT
) STRICT;
CREATE INDEX authorization_codes_expiry ON authorization_codes (expires_at);

CREATE TABLE refresh_tokens (
    token_hash      TEXT PRIMARY KEY,
    grant_id        BLOB NOT NULL REFERENCES grants (id),
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    used_at         TEXT
) STRICT;
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Access tokens revoked one by one, until they would have expired anyway.
CREATE TABLE revoked_tokens (
    jti             TEXT PRIMARY KEY,
    expires_at      TEXT NOT NULL
) STRICT;
