-- Orders. What else the box office has to remember is yours: another file in this folder, 0002_….sql.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    event text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
