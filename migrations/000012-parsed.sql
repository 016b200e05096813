-- What texts said, by a hash of the text and of all that its reading depends on: the same text again is not parsed again. Only a cache:
-- rows may go at any time (src/catalog/parsing/parsed-store.ts prunes them by age and by size).
create table parsed_text (
  digest text primary key,
  project_id text collate "C" not null,
  -- gzipped JSON: problems, earlier times, how many facts
  head bytea not null,
  -- rows of parsed_part
  parts integer not null,
  bytes bigint not null,
  used_at timestamptz(3) not null default now()
);
create index parsed_text_project on parsed_text (project_id);

-- Gzipped lists of facts. Those of a digest that has no row above are being written, or were left behind.
create table parsed_part (
  digest text not null,
  part integer not null,
  content bytea not null,
  saved_at timestamptz(3) not null default now(),
  primary key (digest, part)
);
-- compressed already
alter table parsed_text alter column head set storage external;
alter table parsed_part alter column content set storage external;

-- Of the texts that the facts were read from, with all that their reading depends on; '' where there were none.
alter table snapshot add column text_digest text not null default '';
