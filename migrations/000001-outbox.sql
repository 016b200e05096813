-- Changes of the graph projection, written by any room in its own transaction and applied in order of id by the one process that holds the
-- projection's advisory lock. Writers append one transaction at a time (see outbox.ts), so that ids become visible in their order.
CREATE TABLE graph_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  change jsonb NOT NULL,
  -- how many changes it stands for: a row can name a thousand facts of the catalog
  weight integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now()
);
