-- Proofs that were used: client assertions and DPoP proofs, each good once on all nodes. And shared secrets that have
-- to be had in the clear, sealed with the master key.

CREATE TABLE used_proofs (
    digest      TEXT PRIMARY KEY,
    expires_at  TIMESTAMPTZ NOT NULL
);

CREATE INDEX used_proofs_expires_at ON used_proofs (expires_at);

CREATE TABLE sealed_secrets (
    application_id  TEXT PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
    sealed          TEXT NOT NULL
);
