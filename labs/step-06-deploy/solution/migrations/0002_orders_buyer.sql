-- Expand: `customer` is called `buyer` from version 2 on. Both columns stay until no instance of version 1 runs any more;
-- only a later release's migration drops `customer` (contract).
--
-- Everything in this file is done in an instant, whatever the table holds: a column without a default, and a constraint
-- that is not asked of the rows that are there. It needs the table for itself for that instant, though, and whoever waits
-- for a lock makes everybody behind it wait as well. So it gives up soon, and the server tries again.
SET LOCAL lock_timeout = '1s';

ALTER TABLE orders ADD COLUMN buyer text;
ALTER TABLE orders ADD CONSTRAINT orders_buyer_known CHECK (buyer IS NOT NULL) NOT VALID;

-- Version 1 knows nothing of `buyer`, and goes on writing meanwhile.
CREATE FUNCTION orders_fill_buyer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.buyer := coalesce(NEW.buyer, NEW.customer);
    RETURN NEW;
END
$$;

CREATE TRIGGER orders_fill_buyer BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_fill_buyer();
