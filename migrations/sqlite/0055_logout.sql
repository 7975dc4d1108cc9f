-- Sessions that ended, on their way to the applications they reached (OpenID Connect Back-Channel Logout 1.0).
--
-- A trigger writes the rows: whatever statement ends a session, its logout is queued in the same transaction. A row
-- holds all that its delivery needs, because application and session may be gone by then.

CREATE TABLE logout_deliveries (
    session_id      BLOB NOT NULL,
    application_id  TEXT NOT NULL,
    user_id         BLOB NOT NULL,
    uri             TEXT NOT NULL,
    reason          TEXT NOT NULL,
    queued_at       TEXT NOT NULL,
    due_at          TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT,
    PRIMARY KEY (session_id, application_id)
) STRICT;
CREATE INDEX logout_deliveries_due ON logout_deliveries (application_id, due_at);

-- Live sessions by the moment at which they run out: what the sweep of expired sessions looks at.
CREATE INDEX sessions_idle_end ON sessions (idle_expires_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_end ON sessions (expires_at) WHERE ended_at IS NULL;

CREATE TRIGGER sessions_ended AFTER UPDATE OF ended_at ON sessions
WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.user_id IS NOT NULL
BEGIN
    INSERT INTO logout_deliveries (session_id, application_id, user_id, uri, reason, queued_at, due_at)
    SELECT NEW.id, a.id, NEW.user_id, a.settings -> 'logout' ->> 'backchannel_logout_uri', NEW.ended_reason,
           NEW.ended_at, NEW.ended_at
    FROM session_applications r JOIN applications a ON a.id = r.application_id
    WHERE r.session_id = NEW.id AND a.enabled AND a.settings -> 'logout' ->> 'backchannel_logout_uri' IS NOT NULL
    ON CONFLICT DO NOTHING;
END;
