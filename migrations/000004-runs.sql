-- The ledger of work. The queue (pg-boss, in its own schema) only hands out run ids; everything that decides is in these columns.
CREATE TABLE run (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  name text NOT NULL,
  project_id text,
  parent_id uuid REFERENCES run ON DELETE CASCADE,
  options jsonb NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'paused', 'completed', 'failed', 'cancelled')),
  -- counts claims; the fencing token: what an older attempt writes is refused
  attempt integer NOT NULL DEFAULT 0,
  priority integer NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
  result jsonb,
  error jsonb,
  control text CHECK (control IN ('pause', 'cancel')),
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  -- from when a worker may claim it; null while nobody may
  available_at timestamptz,
  retry_limit integer NOT NULL DEFAULT 2 CHECK (retry_limit >= 0),
  -- attempts that failed or vanished since the run was created or retried by hand
  failures integer NOT NULL DEFAULT 0,
  timeout_seconds integer CHECK (timeout_seconds > 0),
  -- the lease
  worker_id text,
  heartbeat_at timestamptz,
  lease_until timestamptz
);
CREATE INDEX run_newest ON run (created_at DESC, id DESC);
CREATE INDEX run_project ON run (project_id, created_at DESC, id DESC);
CREATE INDEX run_parent ON run (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX run_available ON run (kind, priority DESC, available_at) WHERE available_at IS NOT NULL;
CREATE INDEX run_leased ON run (lease_until) WHERE lease_until IS NOT NULL;

-- Append-only; sequences of one run are 1, 2, 3, … without gaps.
CREATE TABLE run_event (
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  sequence bigint NOT NULL CHECK (sequence > 0),
  attempt integer NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  type text NOT NULL CHECK (type IN ('metric', 'log', 'state', 'checkpoint', 'artifact')),
  -- of metrics; float8, so that NaN and the infinities survive
  name text,
  step bigint,
  value double precision,
  -- of everything else
  body jsonb,
  PRIMARY KEY (run_id, sequence),
  CHECK ((type = 'metric') = (body IS NULL)),
  CHECK ((type = 'metric') = (name IS NOT NULL AND step IS NOT NULL AND value IS NOT NULL))
);
-- One index for curves (read whole, from the index alone) and for the last value of each name.
CREATE INDEX run_event_metric ON run_event (run_id, name, sequence) INCLUDE (step, value) WHERE type = 'metric';

CREATE TABLE run_checkpoint (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  attempt integer NOT NULL,
  step bigint NOT NULL,
  blob text NOT NULL,
  bytes bigint NOT NULL,
  best boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX run_checkpoint_run ON run_checkpoint (run_id, id DESC);
CREATE INDEX run_checkpoint_blob ON run_checkpoint (blob);

-- Which dataset versions a run worked on: (Run)-[:USED]->(DatasetVersion) in the graph, known from its beginning.
CREATE TABLE run_use (
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  dataset_version_id text NOT NULL,
  PRIMARY KEY (run_id, dataset_version_id)
);

-- Worker processes that are alive: each says so every few seconds, and takes its row away when it stops.
CREATE TABLE worker (
  id text PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
