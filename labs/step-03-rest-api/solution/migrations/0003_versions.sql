-- Every change of a row counts its version up. The entity tag is made of it.
ALTER TABLE events ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE orders ADD COLUMN version bigint NOT NULL DEFAULT 1;
