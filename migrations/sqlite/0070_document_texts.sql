-- Documents are kept as the text they were written as, which they are here anyway.
SELECT 1;
