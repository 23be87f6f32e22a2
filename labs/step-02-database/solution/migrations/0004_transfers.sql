-- Credit sent from one customer to another.
CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_customer_id bigint NOT NULL REFERENCES customers (id),
    to_customer_id bigint NOT NULL REFERENCES customers (id),
    amount_cents bigint NOT NULL CONSTRAINT transfers_amount_positive CHECK (amount_cents > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transfers_two_customers CHECK (from_customer_id <> to_customer_id)
);

CREATE INDEX transfers_from_customer_id ON transfers (from_customer_id);
CREATE INDEX transfers_to_customer_id ON transfers (to_customer_id);
