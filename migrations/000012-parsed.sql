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

-- Views are counted too now, apart from tables: how many there were at each of the times that tables were counted at.
insert into metric (node, name, observed_at, value)
select m.node, 'view_count', m.observed_at, count(h.node)
from metric m
join node_key k on k.key = m.node
join catalog_scope s on k.id = concat_ws('/', s.project_id, nullif(s.system_id, '')) and s.derived_of is null
left join node_history h on h.kind = 'View' and h.valid_from <= m.observed_at and h.valid_to > m.observed_at
  and h.scope in (select c.key from catalog_scope c where c.project_id = s.project_id and (s.system_id = '' or c.system_id = s.system_id))
where m.name = 'table_count'
group by m.node, m.observed_at;
