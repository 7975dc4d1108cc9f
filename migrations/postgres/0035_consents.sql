-- What people agreed that third-party applications may know and do. One row for a person and an application.

CREATE TABLE consents (
    user_id         UUID NOT NULL REFERENCES users (id),
    application_id  TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    wish            JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, application_id)
);
CREATE INDEX consents_application ON consents (application_id);
