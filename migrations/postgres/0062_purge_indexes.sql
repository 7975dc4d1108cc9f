-- What is cleared away is found without looking at what stays.

CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
CREATE INDEX registration_tokens_expiry ON registration_tokens (expires_at);
CREATE INDEX throttles_window ON throttles (window_started);
CREATE INDEX status_lists_created ON status_lists (created_at);

-- Whether anybody still uses an application that is known by its document: their ids are addresses.
CREATE INDEX grants_document ON grants (application_id)
    WHERE application_id LIKE 'https://%';
