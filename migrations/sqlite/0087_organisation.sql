-- Departments in full, dates of employment, assignments beside the primary one (which is part of the person), who acts
-- for whom, and roles that hold for a part of the tree only.

-- company, subsidiary or department.
ALTER TABLE departments ADD COLUMN kind TEXT NOT NULL DEFAULT 'department';
-- Who heads it. No reference: the head may be left out of a sync that knows the department.
ALTER TABLE departments ADD COLUMN head_id BLOB;
ALTER TABLE departments ADD COLUMN cost_centre TEXT;
ALTER TABLE departments ADD COLUMN legal_entity TEXT;
CREATE INDEX departments_head ON departments (head_id);

-- First and last day of employment.
ALTER TABLE users ADD COLUMN starts_on TEXT;
ALTER TABLE users ADD COLUMN ends_on TEXT;
CREATE INDEX users_starts ON users (starts_on) WHERE starts_on IS NOT NULL;
CREATE INDEX users_ends ON users (ends_on) WHERE ends_on IS NOT NULL;

-- Concurrent assignments, in the order of their places; in_force is kept by the sync and by the job at midnight.
CREATE TABLE assignments (
    user_id         BLOB NOT NULL REFERENCES users (id),
    place           INTEGER NOT NULL,
    department_id   BLOB NOT NULL REFERENCES departments (id),
    position_id     BLOB REFERENCES positions (id),
    manager_id      BLOB REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    starts_on       TEXT,
    ends_on         TEXT,
    in_force        INTEGER NOT NULL,
    PRIMARY KEY (user_id, place)
) STRICT;
CREATE INDEX assignments_department ON assignments (department_id);

-- deputy_id acts for user_id; `source:NAME` or the operator set it.
CREATE TABLE acting (
    id              BLOB PRIMARY KEY,
    user_id         BLOB NOT NULL REFERENCES users (id),
    deputy_id       BLOB NOT NULL REFERENCES users (id),
    starts_on       TEXT,
    ends_on         TEXT,
    in_force        INTEGER NOT NULL,
    reason          TEXT,
    set_by          TEXT NOT NULL,
    created_at      TEXT NOT NULL
) STRICT;
CREATE INDEX acting_user ON acting (user_id);
CREATE INDEX acting_deputy ON acting (deputy_id);

-- A role may hold for a department and everything below only: `scope` is its code, empty where it holds everywhere.
CREATE TABLE scoped_grants (
    user_id     BLOB NOT NULL REFERENCES users (id),
    role        TEXT NOT NULL,
    rule        TEXT NOT NULL,
    run_id      BLOB,
    granted_at  TEXT NOT NULL,
    scope       TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, role, rule, scope)
) STRICT;
INSERT INTO scoped_grants (user_id, role, rule, run_id, granted_at)
    SELECT user_id, role, rule, run_id, granted_at FROM role_grants;
DROP TABLE role_grants;
ALTER TABLE scoped_grants RENAME TO role_grants;
CREATE INDEX role_grants_role ON role_grants (role);
