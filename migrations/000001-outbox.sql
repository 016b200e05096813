-- Changes of the graph projection, written by any room in its own transaction and applied in order of id by the one process that
-- holds the projection's advisory lock. A row is dropped once every reader is past it.
CREATE TABLE graph_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- the writing transaction: rows of one that is still open may have lower ids than rows already visible, so readers stop before it
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  change jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
