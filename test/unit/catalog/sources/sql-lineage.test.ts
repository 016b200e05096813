import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EdgeFact } from '../../../../src/catalog/fact.js'
import { parseSource } from '../../../../src/catalog/sources/index.js'
import { bank, codesOf, nodeOf } from './support.js'

const tables = {
  postgres: `create table a (id bigserial, name text, x int, d date, ts timestamp, j jsonb, tags text[]);
    create table b (id bigint, aid bigint, y numeric(10,2), name text);`,
  mysql: `create table a (id bigint, name text, x int, d date, ts datetime, j json); create table b (id bigint, aid bigint, y decimal(10,2), name text);`,
  trino: `create table a (id bigint, name varchar, x int, d date, ts timestamp, tags array(varchar), m map(varchar,int));
    create table b (id bigint, aid bigint, y decimal(10,2), name varchar);`,
  spark: `create table a (id bigint, name string, x int, d date, ts timestamp, tags array<string>) using parquet;
    create table b (id bigint, aid bigint, y decimal(10,2), name string) using parquet;`,
  flink: `create table a (id bigint, name string, x int, d date, ts timestamp(3), tags array<string>) with ('connector'='k');
    create table b (id bigint, aid bigint, y decimal(10,2), name string) with ('connector'='k');`,
}
type Dialect = keyof typeof tables

const parse = (dialect: Dialect, text: string) => parseSource(`${dialect}-ddl`, `${tables[dialect]}\n${text};`, bank)
const bare = (id: string) => id.split(':')[1]!.split('.').slice(1).join('.')

/** Of a view `v` of the query: its columns with what makes them, `column: sources (~ those that only steer) transformation`. */
async function follow(dialect: Dialect, query: string) {
  const parsed = await parse(dialect, `create view v as ${query}`)
  expect(codesOf(parsed), query).toEqual([])
  const flows = parsed.facts.filter((f): f is EdgeFact => f.fact === 'edge' && f.label === 'DATA_FLOW' && /column:.*\.v\./.test(f.targetId))
  return parsed.facts
    .flatMap((f) => (f.fact === 'node' && f.kind === 'Column' && /\.v\./.test(f.id) ? [f] : []))
    .sort((one, two) => Number(one.properties['ordinal']) - Number(two.properties['ordinal']))
    .map((column) => {
      const own = flows.filter((f) => f.targetId === column.id)
      const sources = own.map((f) => (f.properties['indirect'] ? '~' : '') + bare(f.sourceId)).sort()
      return `${column.name}: ${[...sources, column.properties['transformation']].join(' ')}`
    })
}

/** dialects, query, columns; by hand, from the manuals of the dialects. */
const all = 'postgres mysql trino spark flink'
const cases: [dialects: string, query: string, columns: string[]][] = [
  [all, 'select cast(x as varchar(10)) v, cast(d as timestamp) t from a', ['v: a.x cast', 't: a.d cast']],
  [all, 'select substring(name from 1 for x) s from a', ['s: a.name a.x expression']],
  [all, "select position('a' in name) p from a", ['p: a.name expression']],
  [all, 'select x from a order by x offset 5', ['x: a.x copy']],
  [all, 'select id from a fetch first 5 rows only', ['id: a.id copy']],
  [all, 'with t(i, n) as (select id, upper(name) from a) select i, n from t', ['i: a.id copy', 'n: a.name expression']],
  [all, 'with recursive t(n) as (select id from a union all select n + 1 from t where n < 9) select n from t', ['n: a.id expression']],
  [
    all,
    'select max(x) filter (where id > 1) m, count(*) filter (where d is null) c from a',
    ['m: a.x ~a.id aggregate', 'c: ~a.d aggregate'],
  ],
  [all, 'select id from a group by grouping sets ((id), (x))', ['id: a.id copy']],
  [all, 'select * from (select id, x from a) t natural join (select id, y from b) u', ['id: t copy', 'x: a.x copy', 'y: b.y copy']],
  [all, "select t.q, t.p from (values (1, 'x'), (2, 'y')) as t (p, q)", ['q: constant', 'p: constant']],
  [all, 'select k.p from (select id, x from a) as k (o, p)', ['p: a.x copy']],
  [all, 'select coalesce(a.name, b.name) n from a left join b using (id)', ['n: a.name b.name conditional']],
  ['postgres trino flink', 'select s.y from a, lateral (select y from b where b.aid = a.id) s', ['y: b.y copy']],
  ['postgres trino flink', 'select s.z from a cross join lateral (select y + a.x as z from b) s', ['z: a.x b.y expression']],
  [
    'postgres trino flink',
    'select extract(year from now()) y, s.n from a, lateral (select b.y as n from b where b.aid = a.id) s',
    ['y: constant', 'n: b.y copy'],
  ],
  [
    all,
    'select user.date, user.floor from (select id as date, x as floor from a) user where user.date > 1',
    ['date: a.id copy', 'floor: a.x copy'],
  ],
  ['mysql spark', 'select u.rows from (select d as rows from a) u', ['rows: a.d copy']],
  ['postgres', 'select t.aid from a, (table b) t', ['aid: b.aid copy']],
  ['postgres trino flink', 'select t.e from a cross join unnest(tags) as t(e)', ['e: a.tags expression']],
  [
    'postgres trino',
    'select t.e, t.n from a cross join unnest(tags) with ordinality as t(e, n)',
    ['e: a.tags expression', 'n: a.tags expression'],
  ],
  ['postgres', 'select distinct on (id) id, name from a order by id, d desc', ['id: a.id copy', 'name: a.name copy']],
  [
    'postgres',
    "select name ilike 'a%' i, name !~* 'b' n, name ~~ 'c' l from a",
    ['i: a.name expression', 'n: a.name expression', 'l: a.name expression'],
  ],
  [
    'postgres',
    "select string_agg(name, ',' order by d) s, array_agg(distinct x order by x) g from a",
    ['s: a.name aggregate', 'g: a.x aggregate'],
  ],
  [
    'postgres',
    "select j->>'k' v, j #> '{a,b}' w, j @> '{}' c, j ? 'a' q, x # 2 h, -x m from a",
    ['v', 'w', 'c', 'q'].map((c) => `${c}: a.j expression`).concat(['h: a.x expression', 'm: a.x expression']),
  ],
  [
    'postgres',
    'select tags[1]::varchar(3) t, (x + 1)::text u, lower(name)::text w from a',
    ['t: a.tags expression', 'u: a.x expression', 'w: a.name expression'],
  ],
  ['postgres', "select ts at time zone 'UTC' z, (ts at time zone 'UTC')::date dd from a", ['z: a.ts expression', 'dd: a.ts expression']],
  ['postgres', 'select id = any(array[x, 2]) z from only a for update of a', ['z: a.id a.x expression']],
  ['postgres', 'select name collate "C" c from a tablesample system (10) repeatable (3)', ['c: a.name copy']],
  ['postgres', 'select g from generate_series(1, 3) g', ['g: constant']],
  ['postgres', 'select r.p, r.q from a, jsonb_to_recordset(j) as r(p int, q text)', ['p: a.j expression', 'q: a.j expression']],
  ['postgres', 'select percentile_cont(0.5) within group (order by x) p from a', ['p: a.x aggregate']],
  ['postgres', 'table b', ['id: b.id copy', 'aid: b.aid copy', 'y: b.y copy', 'name: b.name copy']],
  ['mysql', 'select sql_calc_found_rows straight_join a.id from a straight_join b on a.id = b.aid', ['id: a.id copy']],
  [
    'mysql',
    "select group_concat(distinct name order by d desc separator ', ') g from a use index (i) where x = 1",
    ['g: a.name aggregate'],
  ],
  [
    'mysql',
    'select name as \'the name\', "text" t, x mod 3 m, binary name b from a',
    ['the name: a.name copy', 't: constant', 'm: a.x expression', 'b: a.name copy'],
  ],
  [
    'mysql',
    "select j->'$.k' v, convert(name using utf8mb4) c, convert(x, char) d, cast(x as unsigned) u from a",
    ['v: a.j expression', 'c: a.name expression', 'd: a.x cast', 'u: a.x cast'],
  ],
  [
    'mysql',
    "select @n := x y, !x n, x && d o, timestampdiff(day, d, ts) z, _utf8'abc' k from a lock in share mode",
    ['y: a.x copy', 'n: a.x expression', 'o: a.d a.x expression', 'z: a.d a.ts expression', 'k: constant'],
  ],
  [
    'mysql',
    "select match(name) against ('x' in boolean mode) m, ifnull(x, id) i, if(x > 1, name, 'b') f from a",
    ['m: a.name expression', 'i: a.id a.x conditional', 'f: a.name ~a.x conditional'],
  ],
  ['trino', 'select k, v from a cross join unnest(m) as t(k, v)', ['k: a.m expression', 'v: a.m expression']],
  [
    'trino',
    'select transform(tags, e -> upper(e) || name) t, reduce(tags, 0, (s, e) -> s + length(e) + x, s -> s) r from a',
    ['t: a.name a.tags expression', 'r: a.tags a.x expression'],
  ],
  [
    'trino',
    'select cast(x as array(varchar)) c, cast(row(x, name) as row(p int, q varchar)) r, row(x, d) w from a',
    ['c: a.x cast', 'r: a.name a.x expression', 'w: a.d a.x expression'],
  ],
  [
    'trino',
    "select decimal '1.0' t, array[x, 2] z, approx_distinct(x) n from a tablesample bernoulli (10)",
    ['t: constant', 'z: a.x expression', 'n: a.x aggregate'],
  ],
  ['trino', "select listagg(name, ',') within group (order by name) l from a", ['l: a.name aggregate']],
  ['spark', 'select e, x from a, lateral explode(tags) as t(e)', ['e: a.tags expression', 'x: a.x copy']],
  ['spark', 'select transform(tags, e -> concat(e, name)) t from a version as of 1', ['t: a.name a.tags expression']],
  ['spark', 'select id from a group by all', ['id: a.id copy']],
  [
    'flink',
    "select window_start, sum(x) s from table(tumble(table a, descriptor(ts), interval '10' minutes)) group by window_start, window_end",
    ['window_start: constant', 's: a.x aggregate'],
  ],
  ['flink', 'select a.id, b.y from a join b for system_time as of a.ts on a.id = b.aid', ['id: a.id copy', 'y: b.y copy']],
  ['flink', 'select t.w from a left join lateral table(split(name)) as t(w) on true', ['w: a.name expression']],
]

describe('queries of the dialects', () => {
  it.each(cases.flatMap(([dialects, query, columns]) => dialects.split(' ').map((d) => [d as Dialect, query, columns] as const)))(
    '%s: %s',
    async (dialect, query, columns) => {
      // of a column that a join brought together, the side that stays flows
      expect(await follow(dialect, query)).toEqual(columns.map((c) => c.replace(': t copy', ': a.id copy')))
    },
  )

  it('that nothing can be told of say so, and are not guessed', async () => {
    const parsed = await parse('spark', "create view v as select * from a pivot (sum(x) for name in ('p', 'q'))")
    expect(codesOf(parsed)).toEqual(['lineage-unread'])
    const misspelled = await parse('postgres', 'create view v as select s.y from a, (select y from b where b.aid = x) s')
    expect(codesOf(misspelled)).toEqual([])
    // only LATERAL sees what stands before it
    const hidden = await parse('postgres', 'create view v as select s.z from a, (select tags as z from b) s')
    expect(codesOf(hidden)).toEqual(['unresolved-column'])
  })

  it('name the tables of what they cannot follow, CTEs left out', async () => {
    const { facts } = await parse(
      'spark',
      "create view v as with recursive t(n) as (select 1) select * from t join a pivot (sum(x) for name in ('p'))",
    )
    const read = facts.filter((f): f is EdgeFact => f.fact === 'edge' && f.label === 'DATA_FLOW').map((f) => f.sourceId)
    expect(read).toEqual(['bank/dwh/table:default.a'])
  })
})

describe('columns without a name', () => {
  it.each([
    [
      'postgres',
      'select count(*), x::text, lower(name), case when x > 1 then 2 end, (select max(y) from b), coalesce(x, 1)::bigint, 1::int from a',
      'count x lower case max coalesce int4',
    ],
    ['postgres', 'select x + 1, pg_catalog.upper(name), sum(x) over (order by id) from a', '?column? upper sum'],
    ['trino', 'select x + 1, name, upper(name) from a', '_col0 name _col2'],
    ['flink', 'select x + 1, name, upper(name) from a', 'EXPR$0 name EXPR$2'],
    ['mysql', 'select count(*), upper(a.name), x from a', 'count(*) upper(a.name) x'],
    ['spark', 'select x + 1, name from a', '_c0 name'],
  ] as const)('%s: %s', async (dialect, query, names) => {
    expect((await follow(dialect, query)).map((c) => c.split(': ')[0]).join(' ')).toBe(names)
  })
})

it('have the types of their own dialect', async () => {
  const typesOf = async (dialect: Dialect, query: string) => {
    const parsed = await parse(dialect, `create view v as ${query}`)
    return parsed.facts.flatMap((f) => (f.fact === 'node' && f.kind === 'Column' && /\.v\./.test(f.id) ? [f.properties['data_type']] : []))
  }
  expect(
    await typesOf('postgres', 'select id, upper(name) n, x::varchar(3) w, cast(x as double precision) f, x::text t, tags from a'),
  ).toEqual(['bigint', 'text', 'varchar(3)', 'double precision', 'text', 'array<text>'])
  expect(await typesOf('trino', 'select id, upper(name) n, cast(x as decimal(5,1)) e from a')).toEqual([
    'bigint',
    'varchar',
    'decimal(5,1)',
  ])
  // the members of rows are columns
  const rows = 'create table r (l array(row(p bigint, q date)))'
  const unnested = await parse('trino', `${rows}; create view v as select o, p from r cross join unnest(l) as t(o, p)`)
  const typeOf = (name: string) => nodeOf(unnested, `column:default.v.${name}`).properties['data_type']
  expect([typeOf('o'), typeOf('p')]).toEqual(['bigint', 'date'])
  expect(await typesOf('mysql', 'select cast(x as char(5)) c, convert(d, datetime) t from a')).toEqual(['char(5)', 'timestamp'])
})

describe('INSERT … SELECT with more behind it', () => {
  it.each([
    ['postgres', 'insert into b (id, name) select id, name from a on conflict (id) do update set name = excluded.name returning id'],
    ['mysql', 'insert into b (id, name) select id, name from a on duplicate key update name = values(name)'],
  ] as const)('%s: %s', async (dialect, text) => {
    const parsed = await parse(dialect, text)
    expect(codesOf(parsed)).toEqual([])
    const flows = parsed.facts.flatMap((f) =>
      f.fact === 'edge' && f.label === 'DATA_FLOW' && f.sourceId.includes('column') ? [`${bare(f.sourceId)} ${bare(f.targetId)}`] : [],
    )
    expect(flows.sort()).toEqual(['a.id b.id', 'a.name b.name'])
  })
})

it('foreign keys follow the columns and tables that they refer to when those are renamed', async () => {
  const parsed = await parse(
    'postgres',
    `create table owner (id int primary key); create table thing (owner_id int references owner (id));
    alter table owner rename column id to code; alter table owner rename to person`,
  )
  expect(codesOf(parsed)).toEqual([])
  const keys = parsed.facts.flatMap((f) =>
    f.fact === 'edge' && f.label === 'REFERENCES' ? [`${bare(f.sourceId)} -> ${bare(f.targetId)}`] : [],
  )
  expect(keys.sort()).toEqual(['thing -> person', 'thing.owner_id -> person.code'])
  expect(nodeOf(parsed, 'table:public.person').properties['primary_key']).toEqual(['code'])
})

it('words in any order lose no more than their own statement', async () => {
  const words =
    `select from where ( ) [ ] , . a b x as t cast :: int array unnest lateral table values filter order by group grouping sets natural join on
    using with recursive ordinality -> ->> @> ? # ~ ! && := @v at time zone 'text' 1 row transform convert mod distinct only for update limit all separator
    extract substring position in match against case when then end $1 interval binary collate any`.split(/\s+/)
  const property = fc.asyncProperty(
    fc.constantFrom(...(Object.keys(tables) as Dialect[])),
    fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 25 }),
    async (dialect, soup) => {
      const parsed = await parse(dialect, `create view v as select ${soup.join(' ')}\n;\ncreate table behind (z int)`)
      expect(parsed.facts.some((f) => f.fact === 'node' && f.id.endsWith('.behind'))).toBe(true)
    },
  )
  await fc.assert(property, { numRuns: 300 })
})
