-- Training data as immutable, content-addressed versions. Rows live in blobs, as compressed chunks that versions share; here is only
-- what names them (src/datasets/chunks.ts cuts, src/datasets/store.ts writes).
create table dataset (
  id uuid primary key,
  project_id text collate "C" not null,
  name text not null,
  kind text not null,
  description text not null,
  tags text[] not null,
  created_by text not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (project_id, name)
);

create table dataset_version (
  id uuid primary key,
  dataset_id uuid not null references dataset on delete cascade,
  major integer not null,
  minor integer not null,
  -- Merkle root over the ordered row hashes: equal rows, equal hash
  hash text collate "C" not null,
  row_count bigint not null,
  -- of the rows as canonical JSON, before compression
  bytes bigint not null,
  parent_id uuid references dataset_version,
  description text not null,
  -- how the rows came to be: task, options, feature spec, snapshots; no part of the hash
  provenance jsonb not null,
  quality_score float8,
  validation_passed boolean,
  created_by text not null,
  created_at timestamptz(3) not null,
  -- two writers cannot take the same number
  unique (dataset_id, major, minor)
);
create index dataset_version_hash on dataset_version (dataset_id, hash);

create table dataset_chunk (
  version_id uuid not null references dataset_version on delete cascade,
  ordinal integer not null,
  -- digest of the compressed bytes
  blob text collate "C" not null,
  row_count integer not null,
  -- SHA-256 over the row hashes of the chunk: names the broken chunk when the root does not fit
  rows_hash text collate "C" not null,
  primary key (version_id, ordinal)
);
-- the collector of unused blobs asks by digest
create index dataset_chunk_blob on dataset_chunk (blob);

-- A name for a version, which can be moved.
create table dataset_tag (
  dataset_id uuid not null references dataset on delete cascade,
  tag text not null,
  version_id uuid not null references dataset_version on delete cascade,
  primary key (dataset_id, tag)
);
