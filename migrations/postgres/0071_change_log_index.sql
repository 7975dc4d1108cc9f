-- Nothing looks changes up by their kind: an index that every change pays for.
DROP INDEX change_log_kind;
