-- Expand: `customer` is called `buyer` from version 2 on. Both columns stand until no instance of version 1 runs any
-- more; only then a later migration drops `customer` (contract).
ALTER TABLE orders ADD COLUMN buyer text;

UPDATE orders SET buyer = customer;

-- Version 1 knows nothing of `buyer`, and goes on writing meanwhile.
CREATE FUNCTION orders_fill_buyer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.buyer := coalesce(NEW.buyer, NEW.customer);
    RETURN NEW;
END
$$;

CREATE TRIGGER orders_fill_buyer BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_fill_buyer();

ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL;
