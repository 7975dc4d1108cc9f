-- Sessions, throttling, the recovery administrator.

CREATE TABLE sessions (
    id              UUID PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    user_id         UUID REFERENCES users (id),
    operator_id     UUID,
    auth_time       TIMESTAMPTZ NOT NULL,
    amr             TEXT NOT NULL,
    address         TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    last_seen_at    TIMESTAMPTZ NOT NULL,
    idle_expires_at TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    ended_reason    TEXT
);
CREATE INDEX sessions_user ON sessions (user_id, ended_at);
-- For clearing away: what has been over for long was opened before that.
CREATE INDEX sessions_created ON sessions (created_at);

-- The applications a session reached: what single logout has to tell.
CREATE TABLE session_applications (
    session_id      UUID NOT NULL REFERENCES sessions (id),
    application_id  TEXT NOT NULL,
    first_at        TIMESTAMPTZ NOT NULL,
    last_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (session_id, application_id)
);

-- Failed attempts by key (an account, an address, an application): counted atomically, forgotten after the window.
CREATE TABLE throttles (
    key             TEXT PRIMARY KEY,
    failures        BIGINT NOT NULL,
    window_started  TIMESTAMPTZ NOT NULL,
    blocked_until   TIMESTAMPTZ
);

-- Administrators that live in no directory: the recovery administrator.
CREATE TABLE operators (
    id              UUID PRIMARY KEY,
    login           TEXT NOT NULL,
    login_key       TEXT NOT NULL UNIQUE,
    password_hash   TEXT NOT NULL,
    one_time        BOOLEAN NOT NULL,
    used_at         TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL
);
