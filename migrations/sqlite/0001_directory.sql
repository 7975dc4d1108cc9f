-- People, the department tree, positions, groups, roles, and the links that tie them to their source.
-- References within a table are checked at commit, so that a set of rows is written in any order. Codes and login
-- names are unique among active rows only: what a leaver held is free for a joiner.

CREATE TABLE departments (
    id          BLOB PRIMARY KEY,
    source      TEXT NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    parent_id   BLOB REFERENCES departments (id) DEFERRABLE INITIALLY DEFERRED,
    sort_order  INTEGER NOT NULL DEFAULT 0,
    status      TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT;
CREATE INDEX departments_parent ON departments (parent_id);
CREATE UNIQUE INDEX departments_code ON departments (source, code) WHERE status = 'active';

CREATE TABLE positions (
    id          BLOB PRIMARY KEY,
    source      TEXT NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX positions_code ON positions (source, code) WHERE status = 'active';

CREATE TABLE users (
    id              BLOB PRIMARY KEY,
    source          TEXT NOT NULL,
    login           TEXT NOT NULL,
    login_key       TEXT NOT NULL,
    employee_number TEXT,
    display_name    TEXT NOT NULL,
    given_name      TEXT,
    family_name     TEXT,
    mail            TEXT,
    mobile          TEXT,
    title           TEXT,
    department_id   BLOB REFERENCES departments (id),
    position_id     BLOB REFERENCES positions (id),
    manager_id      BLOB REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    attributes      TEXT NOT NULL,
    password_hash   TEXT,
    status          TEXT NOT NULL,
    status_reason   TEXT,
    disabled_at     TEXT,
    version         INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_login ON users (login_key) WHERE status = 'active';
CREATE INDEX users_login_any ON users (login_key);
CREATE INDEX users_source ON users (source);
CREATE INDEX users_employee_number ON users (employee_number);
CREATE INDEX users_department ON users (department_id);
CREATE INDEX users_manager ON users (manager_id);

CREATE TABLE groups (
    id          BLOB PRIMARY KEY,
    source      TEXT NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_code ON groups (source, code) WHERE status = 'active';

-- A member is a person or a nested group: exactly one of the two columns is set.
CREATE TABLE group_members (
    group_id        BLOB NOT NULL REFERENCES groups (id),
    member_kind     TEXT NOT NULL,
    member_id       BLOB NOT NULL,
    PRIMARY KEY (group_id, member_kind, member_id)
) STRICT;
CREATE INDEX group_members_member ON group_members (member_id, member_kind);

CREATE TABLE role_grants (
    user_id     BLOB NOT NULL REFERENCES users (id),
    role        TEXT NOT NULL,
    rule        TEXT NOT NULL,
    run_id      BLOB,
    granted_at  TEXT NOT NULL,
    PRIMARY KEY (user_id, role, rule)
) STRICT;
CREATE INDEX role_grants_role ON role_grants (role);

-- (source, external id) <-> our id: the only key between a source and us.
CREATE TABLE links (
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    external_id TEXT NOT NULL,
    object_id   BLOB NOT NULL,
    dn          TEXT NOT NULL,
    digest      TEXT NOT NULL,
    run_id      BLOB NOT NULL,
    PRIMARY KEY (source, kind, external_id)
) STRICT;
CREATE UNIQUE INDEX links_object ON links (object_id, source);
