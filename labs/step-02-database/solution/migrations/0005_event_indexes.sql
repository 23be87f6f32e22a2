-- One index for each order of the list. It ends with the id, as the order does, and serves both directions.
CREATE INDEX events_starts_at ON events (starts_at, id);
CREATE INDEX events_price_cents ON events (price_cents, id);

-- A word in the middle of a title is out of reach for a B-tree. Trigrams find it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX events_title_trigrams ON events USING gin (title gin_trgm_ops);
