-- A grant that is cleared away is looked for among the codes: without this, all of them are read for each grant.

CREATE INDEX authorization_codes_grant ON authorization_codes (grant_id);
