-- What each step of a pipeline is: the run that did it, a child of its own or, where the same went in before, one of an earlier pipeline.
CREATE TABLE pipeline_step (
  parent_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  step text NOT NULL,
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  -- SHA-256 of what went in
  input_hash text NOT NULL,
  is_reused boolean NOT NULL,
  PRIMARY KEY (parent_id, step)
);
CREATE INDEX pipeline_step_input ON pipeline_step (step, input_hash) WHERE NOT is_reused;
CREATE INDEX pipeline_step_run ON pipeline_step (run_id);
