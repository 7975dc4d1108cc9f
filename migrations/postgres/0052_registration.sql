-- Dynamic client registration (RFC 7591, 7592): tokens that let somebody register, and what was registered.

CREATE TABLE registration_tokens (
    token_hash      TEXT PRIMARY KEY,
    uses_left       BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE registrations (
    application_id  TEXT PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    document        JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
