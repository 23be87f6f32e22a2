-- Version 1 of the schema. It has run on databases that are in use, so that nobody may change it any more.
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    seats integer NOT NULL CHECK (seats > 0),
    seats_sold integer NOT NULL DEFAULT 0,
    CHECK (seats_sold BETWEEN 0 AND seats)
);

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id),
    customer text NOT NULL,
    seats integer NOT NULL CHECK (seats > 0)
);

CREATE INDEX orders_event_id ON orders (event_id);
