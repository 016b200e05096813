-- The temporal ledger of metadata. Snapshots are append-only; what each one said is kept (run-length encoded) in `assertion`, and
-- everything else here follows from that and can be derived again: the histories, the changes and the metrics (src/catalog/temporal.ts).
-- Large tables use bigint keys for text ids (one sequence for nodes and edges) and no foreign keys: a million columns arrive in one COPY.

create sequence fact_key;

-- A system of a project; system_id '' holds what belongs to the project itself (its own node).
create table catalog_scope (
  key integer generated always as identity primary key,
  project_id text collate "C" not null,
  system_id text collate "C" not null,
  unique (project_id, system_id)
);

-- Snapshots whose contents are kept as differences to each other: all complete ones of a system, or partial ones of the same files.
-- Only a way of storing: any other partition of the snapshots gives the same histories.
create table stream (
  key integer generated always as identity primary key,
  scope integer not null references catalog_scope,
  name text not null,
  unique (scope, name)
);

create table snapshot (
  id uuid primary key,
  project_id text collate "C" not null,
  system_id text collate "C" not null,
  scope integer not null references catalog_scope,
  stream integer not null references stream,
  -- observed_at (8 bytes), then content_hash (8 bytes): the order of snapshots in a project
  position uuid not null,
  observed_at timestamptz(3) not null,
  ingested_at timestamptz(3) not null,
  content_hash text not null,
  is_complete boolean not null,
  -- of the facts as they came, one 16-digit hash per 5,000: the same facts again need not be looked at (repeat-store.ts); '' where unknown
  facts_digest text not null default '',
  -- [{dialect, file, bytes}]
  sources jsonb not null,
  -- {nodes: {added, changed, removed, unchanged}, edges: {…}} as of observed_at, when it was ingested
  counts jsonb not null,
  metrics jsonb not null,
  quality jsonb not null,
  problem_count integer not null,
  -- how many of them parsing found; the rest was found by ingest
  input_problem_count integer not null default 0,
  processing_strategy text not null,
  unique (project_id, position)
);
create index snapshot_ingested on snapshot (project_id, system_id, ingested_at desc, id);
create index snapshot_stream on snapshot (stream, position);

create table snapshot_problem (
  snapshot_id uuid not null references snapshot on delete cascade,
  ordinal integer not null,
  severity text not null,
  code text not null,
  place text not null,
  found text not null,
  expected text not null,
  suggestion text,
  primary key (snapshot_id, ordinal)
);

-- What a snapshot takes away by name (DROP TABLE …), unless it says it again: ids in [low, high).
create table snapshot_removal (
  snapshot_id uuid not null references snapshot on delete cascade,
  project_id text collate "C" not null,
  position uuid not null,
  root text collate "C" not null,
  low text collate "C" not null,
  high text collate "C" not null,
  primary key (snapshot_id, low)
);
create index snapshot_removal_project on snapshot_removal (project_id, position);

-- Every node id that was ever spoken of, even only as the end of an edge.
create table node_key (
  key bigint primary key default nextval('fact_key'),
  id text collate "C" not null unique,
  kind text collate "C" not null,
  -- null until a snapshot asserts the node
  scope integer,
  -- the table (view) of a column
  parent bigint
);
create index node_key_parent on node_key (parent) where parent is not null;

create table edge_key (
  key bigint primary key default nextval('fact_key'),
  source bigint not null,
  label text collate "C" not null,
  target bigint not null,
  discriminator text collate "C" not null,
  scope integer not null,
  -- two systems that tell of one edge are two facts: each takes back only its own
  unique (source, label, target, discriminator, scope)
);
create index edge_key_target on edge_key (target, label);

-- What a fact says, by the hash of its content; names are null for edges.
create table fact_version (
  hash uuid primary key,
  name text,
  qualified_name text,
  properties jsonb not null,
  -- only adds to what is there: stands in assertions, never in a history
  is_partial boolean not null default false,
  -- of a column: one of the six canonical types, '' where none fits
  canonical text collate "C"
);

create table source_file (
  key integer generated always as identity primary key,
  dialect text not null,
  file text not null,
  unique (dialect, file)
);

-- The snapshots of `stream` with a position in [from_position, to_position) say that `fact` is as `version` tells.
create table assertion (
  stream integer not null,
  fact bigint not null,
  from_position uuid not null,
  to_position uuid not null,
  version uuid not null,
  primary key (fact, stream, from_position)
);
-- Rows of a stream lie together in the order of their arrival: 0.3 us a row instead of 1.4 for a tree
create index assertion_stream on assertion using brin (stream int4_minmax_multi_ops) with (pages_per_range = 32, autosummarize = on);

-- Valid in [valid_from, valid_to); adjacent rows of a node differ in version. `begins`: nothing was there before it; `ends`: nothing
-- follows: the comings and goings of facts, which the view `change` tells, are nowhere else. `file`, `location` and `stated_at` (when the text itself
-- says that it was true) tell where this version was read when it was saved: hints, no part of what is compared.
create table node_history (
  node bigint not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3) not null default 'infinity',
  version uuid not null,
  scope integer not null,
  kind text collate "C" not null,
  begins boolean not null,
  ends boolean not null default false,
  file integer,
  location text,
  stated_at timestamptz(3),
  primary key (node, valid_from)
) with (fillfactor = 95);
create index node_history_current on node_history (scope, kind, node) where valid_to = 'infinity';
create index node_history_end on node_history (scope, valid_to) where valid_to < 'infinity';
-- rows of one ingest lie together
create index node_history_start on node_history using brin (scope int4_minmax_multi_ops, valid_from timestamptz_minmax_multi_ops)
  with (pages_per_range = 32, autosummarize = on);

-- As node_history; is_visible is false while an end of the edge does not exist: asserted, but nobody is shown it. Only what is visible
-- begins and ends.
create table edge_history (
  edge bigint not null,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3) not null default 'infinity',
  version uuid not null,
  is_visible boolean not null,
  scope integer not null,
  label text collate "C" not null,
  begins boolean not null,
  ends boolean not null default false,
  file integer,
  location text,
  stated_at timestamptz(3),
  primary key (edge, valid_from)
) with (fillfactor = 95);
create index edge_history_current on edge_history (scope, label, edge) where valid_to = 'infinity';
create index edge_history_end on edge_history (scope, valid_to) where valid_to < 'infinity';
create index edge_history_start on edge_history using brin (scope int4_minmax_multi_ops, valid_from timestamptz_minmax_multi_ops)
  with (pages_per_range = 32, autosummarize = on);
create index edge_history_pending on edge_history (edge) where valid_to = 'infinity' and not is_visible;

-- What differs between adjacent versions of a fact, and which columns were probably renamed.
create table change_detail (
  fact bigint not null,
  at timestamptz(3) not null,
  -- type_changed, nullability_changed, property_changed, renamed
  kind text collate "C" not null,
  -- which property, for property_changed; else ''
  property text not null default '',
  scope integer not null,
  is_node boolean not null,
  -- the table (view) concerned: itself, a column's, an edge source's
  owner bigint,
  before jsonb,
  after jsonb,
  confidence real,
  primary key (fact, at, kind, property)
);
create index change_detail_scope on change_detail (scope, at);
create index change_detail_owner on change_detail (owner, at) where owner is not null;

-- All changes. That facts came and went is read off their histories: a million columns that come are no million rows more.
create view change as
select h.node as fact, h.valid_from as at, 'node_added' collate "C" as kind, '' as property, h.scope, true as is_node,
  case when n.kind in ('Table', 'View') then n.key else n.parent end as owner, null::jsonb as before, null::jsonb as after, null::real as confidence
from node_history h left join node_key n on n.key = h.node where h.begins
union all
select h.node, h.valid_to, 'node_removed', '', h.scope, true, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null
from node_history h left join node_key n on n.key = h.node where h.ends
union all
select h.edge, h.valid_from, 'edge_added', '', h.scope, false, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null
from edge_history h left join edge_key e on e.key = h.edge left join node_key n on n.key = e.source where h.begins
union all
select h.edge, h.valid_to, 'edge_removed', '', h.scope, false, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null
from edge_history h left join edge_key e on e.key = h.edge left join node_key n on n.key = e.source where h.ends
union all
select fact, at, kind, property, scope, is_node, owner, before, after, confidence from change_detail;

-- Series of numbers about a node (project, system, table); NaN and infinities are storable, though ours are finite.
create table metric (
  node bigint not null,
  name text collate "C" not null,
  observed_at timestamptz(3) not null,
  value double precision not null,
  primary key (node, name, observed_at)
);

create view node as
select k.id, h.kind, v.name, v.qualified_name, s.project_id, s.system_id, v.properties, h.valid_from as updated_at, h.node as key
from node_history h
join node_key k on k.key = h.node
join fact_version v on v.hash = h.version
join catalog_scope s on s.key = h.scope
where h.valid_to = 'infinity';

create view edge as
select a.id as source_id, h.label, b.id as target_id, k.discriminator, s.project_id, s.system_id, v.properties,
  h.valid_from as updated_at, h.edge as key
from edge_history h
join edge_key k on k.key = h.edge
join node_key a on a.key = k.source
join node_key b on b.key = k.target
join fact_version v on v.hash = h.version
join catalog_scope s on s.key = h.scope
where h.valid_to = 'infinity' and h.is_visible;

-- For those who know these tables: the facts as they are now; updated_at_utc moves only when a fact changed.
create view glean_nodes as
select id, kind, name as label, properties as properties_json, updated_at at time zone 'UTC' as updated_at_utc from node;

create view glean_edges as
select source_id, target_id, label, properties as properties_json, updated_at at time zone 'UTC' as updated_at_utc from edge;

-- Outbox ids up to this one may be gone: a graph that has not applied them must be rebuilt.
create table outbox_floor (
  is_single boolean primary key default true check (is_single),
  trimmed_to bigint not null
);
