-- What people agreed that third-party applications may know and do. One row for a person and an application.

CREATE TABLE consents (
    user_id         BLOB NOT NULL REFERENCES users (id),
    application_id  TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    wish            TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    PRIMARY KEY (user_id, application_id)
) STRICT;
CREATE INDEX consents_application ON consents (application_id);
