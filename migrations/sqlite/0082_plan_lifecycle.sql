-- Plans: the first of two approvals, and why a plan was rejected. `step` is what a change is about in a person's words,
-- so that a page of a large plan is one small query. `guard_counts` is what the guard's rolling windows add up: what
-- plans did that nobody had looked at.
ALTER TABLE plans ADD COLUMN approved_by TEXT;
ALTER TABLE plans ADD COLUMN approved_at TEXT;
ALTER TABLE plans ADD COLUMN reason TEXT;

ALTER TABLE plan_changes ADD COLUMN step TEXT NOT NULL DEFAULT '';
UPDATE plan_changes SET step = CASE
    WHEN kind = 'role_granted' THEN 'role_gained'
    WHEN kind = 'role_revoked' THEN 'role_lost'
    WHEN kind IN ('member_added', 'member_removed') THEN 'memberships'
    WHEN object_kind = 'department' AND kind = 'moved' THEN 'departments_moved'
    WHEN object_kind = 'department' THEN 'departments'
    WHEN object_kind = 'position' THEN 'positions'
    WHEN object_kind = 'group' THEN 'groups'
    WHEN kind = 'created' THEN 'joined'
    WHEN kind = 'moved' THEN 'moved'
    WHEN kind = 'enabled' THEN 'returned'
    WHEN kind = 'disabled' THEN 'left'
    ELSE 'changed' END;
CREATE INDEX plan_changes_step ON plan_changes (plan_id, step, seq);
CREATE INDEX plans_run ON plans (run_id);

CREATE TABLE guard_counts (
    run_id      BLOB NOT NULL,
    source      TEXT NOT NULL,
    at          TEXT NOT NULL,
    what        TEXT NOT NULL,
    about       TEXT NOT NULL,
    amount      INTEGER NOT NULL,
    PRIMARY KEY (run_id, what, about)
) STRICT;
CREATE INDEX guard_counts_source ON guard_counts (source, at);
