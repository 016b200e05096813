-- Files that callers have sent ahead of what they are for: an id that only the sender can name, for a day.
create table dataset_upload (
  id uuid primary key,
  blob text collate "C" not null,
  file text not null,
  bytes bigint not null,
  -- kind and id of the principal
  owner text collate "C" not null,
  created_at timestamptz(3) not null
);
-- the collector of unused blobs asks by digest
create index dataset_upload_blob on dataset_upload (blob);
create index dataset_upload_age on dataset_upload (created_at);

-- What was counted of the work on datasets, by whichever process did it: Prometheus asks the server, and workers do most of it.
create table dataset_metric (
  name text collate "C" not null,
  -- in Prometheus' own spelling, {error_type="empty-text"}
  labels text collate "C" not null,
  value float8 not null,
  primary key (name, labels)
);
