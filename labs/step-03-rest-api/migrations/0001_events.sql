-- Events, and how many of their seats are taken. The counter stands beside its limit, so that one constraint
-- keeps the two in order whoever writes.
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL CONSTRAINT events_title_not_empty CHECK (title <> ''),
    description text,
    starts_at timestamptz NOT NULL,
    seats integer NOT NULL CONSTRAINT events_seats_positive CHECK (seats > 0),
    seats_sold integer NOT NULL DEFAULT 0,
    price_cents bigint NOT NULL CONSTRAINT events_price_not_negative CHECK (price_cents >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT events_not_oversold CHECK (seats_sold BETWEEN 0 AND seats)
);

-- The order of the list.
CREATE INDEX events_starts_at ON events (starts_at, id);
