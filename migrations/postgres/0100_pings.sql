-- When an application is to be told that a person decided about its request (OpenID Connect CIBA, ping mode): written
-- with the decision, moved ahead while a node tells it, gone when it was told or has its tokens.

ALTER TABLE decoupled_requests ADD COLUMN ping_due_at TIMESTAMPTZ;
ALTER TABLE decoupled_requests ADD COLUMN ping_attempts BIGINT NOT NULL DEFAULT 0;
CREATE INDEX decoupled_requests_ping ON decoupled_requests (application_id, ping_due_at) WHERE ping_due_at IS NOT NULL;
