-- The box office without any secrets: who there is, what they sell, what was bought and what was thought of it.
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL DEFAULT 'customer'
        CONSTRAINT users_role_known CHECK (role IN ('customer', 'organizer', 'admin')),
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Ada@example.com and ada@example.com are one person.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organizer_id bigint NOT NULL REFERENCES users (id),
    title text NOT NULL,
    starts_at timestamptz NOT NULL,
    seats integer NOT NULL CONSTRAINT events_seats_positive CHECK (seats > 0),
    seats_sold integer NOT NULL DEFAULT 0,
    price_cents bigint NOT NULL CONSTRAINT events_price_not_negative CHECK (price_cents >= 0),
    CONSTRAINT events_not_oversold CHECK (seats_sold BETWEEN 0 AND seats)
);

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id),
    customer_id bigint NOT NULL REFERENCES users (id),
    seats integer NOT NULL CONSTRAINT orders_seats_positive CHECK (seats > 0),
    total_cents bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE reviews (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    author_id bigint NOT NULL REFERENCES users (id),
    text text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_event_id ON orders (event_id);
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX reviews_event_id ON reviews (event_id);
