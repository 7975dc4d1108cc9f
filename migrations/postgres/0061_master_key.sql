-- The key of stored hashes, sealed with the master key: a change of the master key changes no hash. One row.

CREATE TABLE master_key (
    id          BIGINT PRIMARY KEY,
    hash_key    TEXT NOT NULL,
    changed_at  TIMESTAMPTZ NOT NULL
);
