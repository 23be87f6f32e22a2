-- Orders: who has how many seats of which event, and what was paid for them.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL CONSTRAINT orders_event_known REFERENCES events (id),
    email text NOT NULL,
    seats integer NOT NULL CONSTRAINT orders_seats_positive CHECK (seats > 0),
    note text,
    total_cents bigint NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_cents >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Postgres makes no index for a foreign key; this one also serves the list of one event's orders.
CREATE INDEX orders_event_id ON orders (event_id, id);
