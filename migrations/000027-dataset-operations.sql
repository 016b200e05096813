-- Which row of a version is in which part, and what was fitted on a part of one (src/datasets/splits, src/datasets/operations).
create table dataset_split (
  id uuid primary key,
  version_id uuid not null references dataset_version on delete cascade,
  name text collate "C" not null,
  -- method, parts and their shares, seed, fields: with the rows they give the membership again
  options jsonb not null,
  -- part -> rows
  counts jsonb not null,
  -- one byte a row, the number of its part, deflated
  membership bytea not null,
  -- SHA-256 of those bytes before deflation, lower-case hex
  membership_hash text collate "C" not null,
  -- leakage between the parts
  problems jsonb not null,
  created_by text not null,
  created_at timestamptz(3) not null,
  unique (version_id, name)
);

create table dataset_operations (
  id uuid primary key,
  -- the rows, and the part of them, that the steps were fitted on
  version_id uuid not null references dataset_version on delete cascade,
  split_id uuid references dataset_split on delete cascade,
  part text,
  name text collate "C" not null,
  -- the steps with what was fitted: all that serving needs to repeat them
  fitted jsonb not null,
  -- SHA-256 of its canonical JSON
  hash text collate "C" not null,
  created_by text not null,
  created_at timestamptz(3) not null,
  unique (version_id, name)
);
-- deleting a split looks for what was fitted on it
create index dataset_operations_split on dataset_operations (split_id);
