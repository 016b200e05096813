-- Where a dataset comes from, and what a version's rows look like: label sets and columns, so that another set of them is seen to be
-- another major version. Null where a version was saved before.
alter table dataset
  add column source text not null default '',
  add column provenance jsonb not null default '{}';
alter table dataset_version add column shape jsonb;
