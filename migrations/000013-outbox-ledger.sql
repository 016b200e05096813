-- Whose outbox this is: noted in the graph beside the position, so that a graph which another ledger has filled is told apart.
CREATE TABLE outbox_ledger (
  is_single boolean PRIMARY KEY DEFAULT true CHECK (is_single),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO outbox_ledger DEFAULT VALUES;
