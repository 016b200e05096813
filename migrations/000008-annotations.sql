-- People's own words: owners, tags, glossary terms and a description of any node, by its id. They lie beside the facts, so no ingest
-- touches them, and have a history of their own: when somebody said so (not when it was true, as facts have).

-- Valid in [valid_from, valid_to); an empty list says that what was there was taken away. `description` has one item or none.
create table annotation (
  node_id text collate "C" not null,
  field text collate "C" not null check (field in ('owners', 'tags', 'terms', 'description')),
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3) not null default 'infinity',
  items text[] not null,
  -- who said so
  actor text not null,
  primary key (node_id, field, valid_from)
);
create index annotation_current on annotation (node_id) where valid_to = 'infinity';

-- The words that a project's people share; terms of nodes are among them.
create table glossary_term (
  project_id text collate "C" not null,
  name text collate "C" not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3) not null default 'infinity',
  -- null: the term was taken back
  definition text,
  actor text not null,
  primary key (project_id, name, valid_from)
);

-- What an ingest takes where its caller says nothing else.
alter table project
  add column reject_below double precision check (reject_below between 0 and 1),
  add column ideal_distribution jsonb;
