-- no-transaction
-- Backfill: the rows that were there before, a thousand at a time. Each batch is a transaction of its own, which holds the
-- locks of its rows only, and only for a moment. A backfill that was cut off begins again and finds the rest.
DO $$
DECLARE
    reached bigint := 0;
    batch_end bigint;
BEGIN
    LOOP
        SELECT max(id) INTO batch_end
        FROM (SELECT id FROM orders WHERE id > reached ORDER BY id LIMIT 1000) AS batch;
        EXIT WHEN batch_end IS NULL;
        UPDATE orders SET buyer = customer WHERE id > reached AND id <= batch_end AND buyer IS NULL;
        COMMIT;
        reached := batch_end;
    END LOOP;
END
$$;
