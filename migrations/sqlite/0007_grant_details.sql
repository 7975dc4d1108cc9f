-- What was granted beyond scopes: resources, details, single claims, bindings.

ALTER TABLE grants ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
