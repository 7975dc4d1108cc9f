-- What was revoked before its end, for those who check tokens by themselves: the change feed and the status lists.
--
-- Triggers write the rows: whatever statement revokes a grant or a token, the feed knows in the same transaction.
-- Exactly one of `grant_id`, `jti` and `application_id` is set. `seq` is given at publication, so that it grows in the
-- order in which followers may see rows, however long the transactions took that wrote them.

CREATE TABLE revocations (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    seq             INTEGER,
    at              TEXT NOT NULL,
    grant_id        BLOB,
    jti             TEXT,
    application_id  TEXT
) STRICT;
CREATE UNIQUE INDEX revocations_seq ON revocations (seq);
CREATE INDEX revocations_unpublished ON revocations (id) WHERE seq IS NULL;
CREATE INDEX revocations_at ON revocations (at);

-- The last number given.
CREATE TABLE revocation_head (
    id      INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL
) STRICT;
INSERT INTO revocation_head (id, seq) VALUES (1, 0);

CREATE TRIGGER grants_revoked AFTER UPDATE OF revoked_at ON grants
WHEN NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL
BEGIN
    INSERT INTO revocations (at, grant_id) VALUES (NEW.revoked_at, NEW.id);
END;

-- A single token: what counts is its end.
CREATE TRIGGER tokens_revoked AFTER INSERT ON revoked_tokens
BEGIN
    INSERT INTO revocations (at, jti) VALUES (NEW.expires_at, NEW.jti);
END;

-- Status lists (Token Status List): each is filled by one process, in an order that only chance knows.
CREATE TABLE status_lists (
    id          TEXT PRIMARY KEY,
    created_at  TEXT NOT NULL
) STRICT;

-- The place of each access token on its list, until the token expires.
CREATE TABLE status_entries (
    list_id         TEXT NOT NULL,
    place           INTEGER NOT NULL,
    jti             TEXT NOT NULL,
    grant_id        BLOB,
    application_id  TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    PRIMARY KEY (list_id, place)
) STRICT;
CREATE INDEX status_entries_expiry ON status_entries (expires_at);
