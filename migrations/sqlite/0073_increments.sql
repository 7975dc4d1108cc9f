-- The distinguished name as it is compared, from the root down (`dc=com,dc=example,ou=sales,uid=a`): found by equality,
-- and a whole subtree by range. Empty for what has none, and until the next full run has filled it.
ALTER TABLE links ADD COLUMN dn_path TEXT NOT NULL DEFAULT '';
ALTER TABLE plan_links ADD COLUMN dn_path TEXT NOT NULL DEFAULT '';
CREATE INDEX links_dn_path ON links (source, dn_path);
CREATE INDEX users_position ON users (position_id);

-- Where each source is continued from. `full_because` is why a full run is wanted before the night, `blocked_by` the
-- held plan that increments wait for.
CREATE TABLE sync_positions (
    source       TEXT PRIMARY KEY,
    position     TEXT,
    taken_at     TEXT NOT NULL,
    full_because TEXT,
    blocked_by   BLOB
) STRICT;

-- What a plan writes beside its changes and links when it is applied: the position it was read to, and what follows.
CREATE TABLE plan_carries (
    plan_id     BLOB PRIMARY KEY REFERENCES plans (id),
    carry       TEXT NOT NULL
) STRICT;

-- References (members, managers) to names that nobody in the source has: whoever takes such a name is looked at by a
-- full run.
CREATE TABLE sync_dangling (
    source      TEXT NOT NULL,
    dn_path     TEXT NOT NULL,
    PRIMARY KEY (source, dn_path)
) STRICT;

-- From the change at the source to the commit that locked the person out. `changed_at` is what the source said, NULL
-- where it did not say; `millis` counts from it, else from `read_at`.
CREATE TABLE sync_lockouts (
    run_id       BLOB NOT NULL,
    user_id      BLOB NOT NULL,
    source       TEXT NOT NULL,
    changed_at   TEXT,
    read_at      TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    millis       INTEGER NOT NULL,
    PRIMARY KEY (run_id, user_id)
) STRICT;
CREATE INDEX sync_lockouts_source ON sync_lockouts (source, committed_at);
