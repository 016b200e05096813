-- Reports on versions (validation, quality) by what was asked. Equal rows give the equal report: one is found by the hash of the rows.
create table dataset_report (
  version_id uuid not null references dataset_version on delete cascade,
  -- validation, quality
  report text collate "C" not null,
  -- SHA-256 of the options as canonical JSON
  options_hash text collate "C" not null,
  body jsonb not null,
  created_at timestamptz(3) not null,
  primary key (version_id, report, options_hash)
);
