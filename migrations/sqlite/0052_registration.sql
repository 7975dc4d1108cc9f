-- Dynamic client registration (RFC 7591, 7592): tokens that let somebody register, and what was registered.

CREATE TABLE registration_tokens (
    token_hash      TEXT PRIMARY KEY,
    uses_left       INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL
) STRICT;

CREATE TABLE registrations (
    application_id  TEXT PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    document        TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL
) STRICT;
