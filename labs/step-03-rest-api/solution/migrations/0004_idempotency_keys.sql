-- What was asked under a key, and the order that was made of it, as it was then: a retry is given the first answer,
-- whatever became of the order since.
CREATE TABLE idempotency_keys (
    key text PRIMARY KEY,
    request jsonb NOT NULL,
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
