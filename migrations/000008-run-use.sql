-- Which dataset versions a run worked on: (Run)-[:USED]->(DatasetVersion) in the graph, known from its beginning.
CREATE TABLE run_use (
  run_id uuid NOT NULL REFERENCES run ON DELETE CASCADE,
  dataset_version_id text NOT NULL,
  PRIMARY KEY (run_id, dataset_version_id)
);
