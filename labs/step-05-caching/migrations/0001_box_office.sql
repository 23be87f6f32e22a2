-- Events. Their ids are made by whoever announces them, so that announcing one twice does no harm.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    title text NOT NULL CONSTRAINT events_title_not_empty CHECK (title <> ''),
    category text NOT NULL CONSTRAINT events_category_not_empty CHECK (category <> ''),
    starts_at timestamptz NOT NULL,
    seats integer NOT NULL CONSTRAINT events_seats_positive CHECK (seats > 0),
    price_cents bigint NOT NULL CONSTRAINT events_price_not_negative CHECK (price_cents >= 0)
);

CREATE INDEX events_starts_at ON events (starts_at, id);
CREATE INDEX events_price_cents ON events (price_cents, id);
CREATE INDEX events_category_starts_at ON events (category, starts_at, id);

-- Customers. Who shows the code of a card is its owner; the code is long and random, so it needs no slow hash.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    card text NOT NULL UNIQUE,
    discount_percent integer NOT NULL DEFAULT 0
        CONSTRAINT customers_discount_is_a_percentage CHECK (discount_percent BETWEEN 0 AND 100)
);
