-- What each source says of a person, only for people whom more than one source knows: the owner's own values besides.
CREATE TABLE contributions (
    user_id     BLOB NOT NULL REFERENCES users (id),
    source      TEXT NOT NULL,
    offer       TEXT NOT NULL,
    PRIMARY KEY (user_id, source)
) STRICT;
CREATE INDEX contributions_source ON contributions (source);

-- The contributions that a plan writes: `after` is NULL where one is withdrawn, `before` where it is new.
CREATE TABLE plan_contributions (
    plan_id     BLOB NOT NULL REFERENCES plans (id),
    user_id     BLOB NOT NULL,
    source      TEXT NOT NULL,
    before      TEXT,
    after       TEXT,
    PRIMARY KEY (plan_id, user_id, source)
) STRICT;
