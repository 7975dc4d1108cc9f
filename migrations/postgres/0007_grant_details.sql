-- What was granted beyond scopes: resources, details, single claims, bindings.

ALTER TABLE grants ADD COLUMN details JSONB NOT NULL DEFAULT '{}';
