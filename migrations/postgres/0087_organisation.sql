-- Departments in full, dates of employment, assignments beside the primary one (which is part of the person), who acts
-- for whom, and roles that hold for a part of the tree only.

-- company, subsidiary or department.
ALTER TABLE departments ADD COLUMN kind TEXT NOT NULL DEFAULT 'department';
-- Who heads it. No reference: the head may be left out of a sync that knows the department.
ALTER TABLE departments ADD COLUMN head_id UUID;
ALTER TABLE departments ADD COLUMN cost_centre TEXT;
ALTER TABLE departments ADD COLUMN legal_entity TEXT;
CREATE INDEX departments_head ON departments (head_id);

-- First and last day of employment.
ALTER TABLE users ADD COLUMN starts_on DATE;
ALTER TABLE users ADD COLUMN ends_on DATE;
CREATE INDEX users_starts ON users (starts_on) WHERE starts_on IS NOT NULL;
CREATE INDEX users_ends ON users (ends_on) WHERE ends_on IS NOT NULL;

-- Concurrent assignments, in the order of their places; in_force is kept by the sync and by the job at midnight.
CREATE TABLE assignments (
    user_id         UUID NOT NULL REFERENCES users (id),
    place           BIGINT NOT NULL,
    department_id   UUID NOT NULL REFERENCES departments (id),
    position_id     UUID REFERENCES positions (id),
    manager_id      UUID REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    starts_on       DATE,
    ends_on         DATE,
    in_force        BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, place)
);
CREATE INDEX assignments_department ON assignments (department_id);

-- deputy_id acts for user_id; `source:NAME` or the operator set it.
CREATE TABLE acting (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES users (id),
    deputy_id       UUID NOT NULL REFERENCES users (id),
    starts_on       DATE,
    ends_on         DATE,
    in_force        BOOLEAN NOT NULL,
    reason          TEXT,
    set_by          TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX acting_user ON acting (user_id);
CREATE INDEX acting_deputy ON acting (deputy_id);

-- A role may hold for a department and everything below only: `scope` is its code, empty where it holds everywhere.
ALTER TABLE role_grants ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE role_grants DROP CONSTRAINT role_grants_pkey;
ALTER TABLE role_grants ADD PRIMARY KEY (user_id, role, rule, scope);
