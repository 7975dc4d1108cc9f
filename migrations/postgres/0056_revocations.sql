-- What was revoked before its end, for those who check tokens by themselves: the change feed and the status lists.
--
-- Triggers write the rows: whatever statement revokes a grant or a token, the feed knows in the same transaction.
-- Exactly one of `grant_id`, `jti` and `application_id` is set. `seq` is given at publication, so that it grows in the
-- order in which followers may see rows, however long the transactions took that wrote them.

CREATE TABLE revocations (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq             BIGINT,
    at              TIMESTAMPTZ NOT NULL,
    grant_id        UUID,
    jti             TEXT,
    application_id  TEXT
);
CREATE UNIQUE INDEX revocations_seq ON revocations (seq);
CREATE INDEX revocations_unpublished ON revocations (id) WHERE seq IS NULL;
CREATE INDEX revocations_at ON revocations (at);

-- The last number given.
CREATE TABLE revocation_head (
    id      BIGINT PRIMARY KEY,
    seq     BIGINT NOT NULL
);
INSERT INTO revocation_head (id, seq) VALUES (1, 0);

CREATE FUNCTION note_revoked_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocations (at, grant_id) VALUES (NEW.revoked_at, NEW.id);
    RETURN NULL;
END;
$$;
CREATE TRIGGER grants_revoked AFTER UPDATE OF revoked_at ON grants FOR EACH ROW
WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL)
EXECUTE FUNCTION note_revoked_grant();

-- A single token: what counts is its end.
CREATE FUNCTION note_revoked_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocations (at, jti) VALUES (NEW.expires_at, NEW.jti);
    RETURN NULL;
END;
$$;
CREATE TRIGGER tokens_revoked AFTER INSERT ON revoked_tokens FOR EACH ROW
EXECUTE FUNCTION note_revoked_token();

-- Status lists (Token Status List): each is filled by one process, in an order that only chance knows.
CREATE TABLE status_lists (
    id          TEXT PRIMARY KEY,
    created_at  TIMESTAMPTZ NOT NULL
);

-- The place of each access token on its list, until the token expires.
CREATE TABLE status_entries (
    list_id         TEXT NOT NULL,
    place           BIGINT NOT NULL,
    jti             TEXT NOT NULL,
    grant_id        UUID,
    application_id  TEXT NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (list_id, place)
);
CREATE INDEX status_entries_expiry ON status_entries (expires_at);
