-- A name is looked for in one source and in all others: the path first.
DROP INDEX links_dn_path;
CREATE INDEX links_dn_path ON links (dn_path, source);
