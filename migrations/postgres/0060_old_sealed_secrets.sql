-- The secret before, of an application that signs with its secret: accepted while the two overlap.
ALTER TABLE sealed_secrets ADD COLUMN old_sealed TEXT;
