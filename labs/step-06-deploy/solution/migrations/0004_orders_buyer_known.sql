-- Constrain: every row has its buyer now, and Postgres reads them all to be sure. Others read and write meanwhile, which
-- `SET NOT NULL` would not let them. A validated check says the same.
SET LOCAL lock_timeout = '1s';

ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_known;
