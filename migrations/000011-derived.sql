-- Facts that follow from what snapshots say together: the ends that texts leave open (a column of one of these tables, a table by its
-- name, `SELECT *`) and DEPENDS_ON between jobs. No snapshot asserts them: they are a function of the histories, and are kept in the same
-- tables in a scope of their own (src/catalog/derive).

-- The scope of what is derived from the statements of another one.
alter table catalog_scope add column derived_of integer references catalog_scope on delete cascade;
alter table catalog_scope drop constraint catalog_scope_project_id_system_id_key;
create unique index catalog_scope_name on catalog_scope (project_id, system_id) where derived_of is null;
create unique index catalog_scope_derived on catalog_scope (derived_of) where derived_of is not null;

-- Edges with an open end (its place is taken by an id that no node has), by what they hang on: `n:` the id of a node, `r:` a table (or
-- view) with its columns, `t:` tables of a name in the project.
create table open_end (
  scope integer not null,
  need text collate "C" not null,
  edge bigint not null,
  primary key (scope, need, edge)
);
create index open_end_edge on open_end (edge);

-- What each of them makes of the histories: from when to when this fact follows from it. Several may make the same.
create table derivation (
  scope integer not null,
  -- of the open edge
  origin bigint not null,
  -- a node or an edge
  fact bigint not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3) not null,
  version uuid not null,
  -- where the open edge was read: hints, as in the histories
  file integer,
  location text,
  primary key (origin, fact, valid_from)
);
create index derivation_fact on derivation (fact);
create index derivation_scope on derivation (scope);
