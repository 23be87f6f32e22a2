-- An order, and a line for each of its seats with the price that was paid for it.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id),
    customer_id bigint NOT NULL REFERENCES customers (id),
    status text NOT NULL DEFAULT 'confirmed'
        CONSTRAINT orders_status_known CHECK (status IN ('confirmed', 'cancelled')),
    total_cents bigint NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_cents >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_lines (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    price_cents bigint NOT NULL CONSTRAINT order_lines_price_not_negative CHECK (price_cents >= 0)
);

-- Postgres makes no index for a foreign key; without these, every look at an order's lines reads the whole table.
CREATE INDEX orders_event_id ON orders (event_id);
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX order_lines_order_id ON order_lines (order_id);
