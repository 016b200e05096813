-- What was learned from a project's history: immutable, numbered, with the snapshots it was learned from.
create table pattern_set (
  id           text primary key,
  project_id   text not null,
  version      integer not null,
  learned_at   timestamptz not null,
  run_id       text,
  snapshot_ids text[] not null,
  -- what people read
  patterns     jsonb not null,
  -- the counts that learning goes on from and predictions are made from
  learning     jsonb not null,
  unique (project_id, version)
);
