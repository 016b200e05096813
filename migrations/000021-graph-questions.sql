-- What workers ask of the graph, which the server alone holds: asked here, answered here, removed by who asked.
CREATE TABLE graph_question (
  id uuid PRIMARY KEY,
  question jsonb NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT now(),
  answer jsonb,
  -- {code, message, remedy}
  failure jsonb,
  answered_at timestamptz
);
