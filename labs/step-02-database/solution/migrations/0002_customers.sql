-- Customers and their credit.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    balance_cents bigint NOT NULL DEFAULT 0 CONSTRAINT customers_balance_not_negative CHECK (balance_cents >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Ada@example.com and ada@example.com are one person.
CREATE UNIQUE INDEX customers_email_key ON customers (lower(email));
