-- Sessions, throttling, the recovery administrator.

CREATE TABLE sessions (
    id              BLOB PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    user_id         BLOB REFERENCES users (id),
    operator_id     BLOB,
    auth_time       TEXT NOT NULL,
    amr             TEXT NOT NULL,
    address         TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    last_seen_at    TEXT NOT NULL,
    idle_expires_at TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    ended_at        TEXT,
    ended_reason    TEXT
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, ended_at);
-- For clearing away: what has been over for long was opened before that.
CREATE INDEX sessions_created ON sessions (created_at);

-- The applications a session reached: what single logout has to tell.
CREATE TABLE session_applications (
    session_id      BLOB NOT NULL REFERENCES sessions (id),
    application_id  TEXT NOT NULL,
    first_at        TEXT NOT NULL,
    last_at         TEXT NOT NULL,
    PRIMARY KEY (session_id, application_id)
) STRICT;

-- Failed attempts by key (an account, an address, an application): counted atomically, forgotten after the window.
CREATE TABLE throttles (
    key             TEXT PRIMARY KEY,
    failures        INTEGER NOT NULL,
    window_started  TEXT NOT NULL,
    blocked_until   TEXT
) STRICT;

-- Administrators that live in no directory: the recovery administrator.
CREATE TABLE operators (
    id              BLOB PRIMARY KEY,
    login           TEXT NOT NULL,
    login_key       TEXT NOT NULL UNIQUE,
    password_hash   TEXT NOT NULL,
    one_time        INTEGER NOT NULL,
    used_at         TEXT,
    created_at      TEXT NOT NULL
) STRICT;
