-- Files that a run leaves beside its events: a trace of its steps, what it read from elsewhere. Their bytes are blobs.
CREATE TABLE run_file (
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_.-]*$'),
  blob text NOT NULL,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  -- what it says in short, to be read without the bytes
  summary jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, name)
);
CREATE INDEX run_file_blob ON run_file (blob);
