import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EdgeFact, NodeFact, ParsedSource } from '../../../src/catalog/fact.js'
import { parseSource } from '../../../src/catalog/sources/index.js'
import type { Sql } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

/** `schema.table.column type [not null]` in order; keys as `schema.table (a, b)`: what a server made of a script, or what we read in it. */
interface Shape {
  columns: string[]
  primaryKeys: string[]
  uniques: string[]
  foreignKeys: string[]
}

/** The oracle: the script was run on a real server, whose own catalog tells what it meant. */
async function shapeOfServer(sql: Sql, schemas: readonly string[]): Promise<Shape> {
  const ask = async (text: string) => (await sql.query<{ line: string }>(text, [schemas])).rows.map((row) => row.line)
  const keys = (type: string) =>
    ask(`select n.nspname || '.' || c.relname || ' (' || string_agg(a.attname, ', ' order by k.place) || ')' as line
      from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace,
        unnest(o.conkey) with ordinality as k(column_number, place) join pg_attribute a on a.attnum = k.column_number
      where o.contype = '${type}' and a.attrelid = c.oid and n.nspname = any($1) and not c.relispartition group by o.oid, n.nspname, c.relname `).then(
      (lines) => lines.sort(),
    )
  return {
    columns: await ask(`select n.nspname || '.' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      order by n.nspname collate "C", c.relname collate "C", a.attnum`),
    primaryKeys: await keys('p'),
    uniques: await keys('u'),
    foreignKeys: await keys('f'),
  }
}

const aliases: Record<string, string> = {
  int: 'integer',
  int4: 'integer',
  serial: 'integer',
  int8: 'bigint',
  bigserial: 'bigint',
  int2: 'smallint',
  bool: 'boolean',
  varchar: 'character varying',
  char: 'character(1)',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  float8: 'double precision',
  float4: 'real',
  decimal: 'numeric',
}
function serverType(written: string): string {
  const array = /^array<(.*)>$/.exec(written)
  // a server does not keep how many dimensions were declared
  if (array) return `${serverType(array[1]!).replace(/\[\]$/, '')}[]`
  const [, name, rest] = /^([^(]*)(.*)$/.exec(written)!
  if (/^time(?:stamp)?$/.test(name!) && rest !== '') return /zone/.test(rest!) ? written : `${name}${rest} without time zone`
  if (name === 'timestamptz' && rest !== '') return `timestamp${rest} with time zone`
  if (name === 'char' && rest !== '') return `character${rest}`
  return `${aliases[name!] ?? name}${rest}`
}

function shapeOf({ facts }: ParsedSource): Shape {
  const short = (id: string) => id.replace(/^p\/s\/\w+:/, '')
  const nodes = new Map(facts.flatMap((f) => (f.fact === 'node' ? [[f.id, f] as const] : [])))
  const tables = [...nodes.values()].filter((n) => n.kind === 'Table')
  const columnsOf = (table: NodeFact) =>
    facts.flatMap((f) => (f.fact === 'edge' && f.label === 'HAS_COLUMN' && f.sourceId === table.id ? [nodes.get(f.targetId)!] : []))
  const lineOf = (table: NodeFact, { name, properties }: NodeFact) =>
    `${short(table.id)}.${name} ${serverType(properties['data_type'] as string)}${properties['nullable'] === false ? ' not null' : ''}`
  const keys = (property: (table: NodeFact) => unknown) =>
    tables
      .filter((t) => t.properties['partition_of'] === undefined)
      .flatMap((t) => ((property(t) ?? []) as string[][]).map((columns) => `${short(t.id)} (${columns.join(', ')})`))
      .sort()
  const references = facts.filter((f): f is EdgeFact => f.fact === 'edge' && f.label === 'REFERENCES' && f.sourceId.includes('/table:'))
  return {
    columns: tables.sort((a, b) => (a.id < b.id ? -1 : 1)).flatMap((t) => columnsOf(t).map((c) => lineOf(t, c))),
    primaryKeys: keys((t) => (t.properties['primary_key'] ? [t.properties['primary_key']] : [])),
    uniques: keys((t) => (t.properties['uniques'] as { columns: string[]; name?: string }[] | undefined)?.map((u) => u.columns)),
    foreignKeys: references.map((f) => `${short(f.sourceId)} (${(f.properties['columns'] as string[]).join(', ')})`).sort(),
  }
}

const parse = (text: string) => parseSource('postgres-ddl', text, { projectId: 'p', systemId: 's', file: 'x.sql' })
const errors = ({ problems }: ParsedSource) => problems.filter((p) => p.severity === 'error')

const script = `
CREATE SCHEMA crm; CREATE SCHEMA "Odd"; CREATE SCHEMA other;
CREATE TYPE crm.mood AS ENUM ('sad', 'ok');
CREATE TABLE crm.Customer (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY,
  "Full Name" character varying(255) DEFAULT 'no; one'::character varying NOT NULL,
  tags text[] DEFAULT '{}'::text[] NOT NULL, matrix int[][3],
  seen timestamp(3) with time zone DEFAULT now(), opened timestamp, closed timestamptz(0), at time without time zone,
  took interval day to second, price numeric(10,2) DEFAULT 0.00 CONSTRAINT positive CHECK (price >= (0)::numeric),
  twice numeric GENERATED ALWAYS AS (price * 2) STORED, payload jsonb, key text COLLATE "C", flag bool NOT NULL DEFAULT false,
  code char(3), one char, referrer bigint REFERENCES crm.customer,
  CONSTRAINT one_name UNIQUE NULLS NOT DISTINCT ("Full Name"), UNIQUE (code, one)
);
CREATE TABLE crm.orders (id integer NOT NULL, customer_id bigint NOT NULL, line int4, placed date DEFAULT CURRENT_DATE) PARTITION BY RANGE (placed);
CREATE TABLE crm.orders_2024 PARTITION OF crm.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE UNLOGGED TABLE crm.archive (LIKE crm.orders INCLUDING ALL, archived_at timestamptz DEFAULT clock_timestamp()) WITH (fillfactor=70);
CREATE TABLE crm.level (level smallint) INHERITS (crm.customer);
CREATE FUNCTION crm.touch() RETURNS trigger LANGUAGE plpgsql AS $_$ BEGIN CREATE TABLE not_mine (a int); RETURN NEW; END; $_$;
ALTER TABLE ONLY crm.orders_2024 ADD CONSTRAINT y2024 PRIMARY KEY (id);
ALTER TABLE ONLY crm.archive ADD CONSTRAINT c FOREIGN KEY (customer_id) REFERENCES crm.customer(id) ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE;
CREATE UNIQUE INDEX by_line ON crm.archive USING btree (line) WHERE (line > 0);
ALTER TABLE crm.customer ADD COLUMN IF NOT EXISTS note text, ADD COLUMN IF NOT EXISTS note int, DROP CONSTRAINT one_name,
  ALTER code SET DATA TYPE varchar(10) USING code::varchar, ALTER opened SET NOT NULL, ALTER COLUMN "Full Name" DROP NOT NULL;
CREATE TABLE "Odd"."Table" ("Id" serial, id int, "a.b" decimal(5), PRIMARY KEY ("Id", id));
CREATE TABLE other.moved (a int, b double precision);
ALTER TABLE other.moved RENAME COLUMN a TO c; ALTER TABLE other.moved RENAME TO renamed; ALTER TABLE other.renamed SET SCHEMA "Odd";
DROP TABLE IF EXISTS crm.nothing; CREATE TABLE crm.gone (a int); DROP TABLE crm.gone CASCADE;
ALTER TABLE "Odd"."Table" DROP COLUMN "a.b", ADD CONSTRAINT tie FOREIGN KEY (id) REFERENCES crm.customer ON DELETE NO ACTION;
SET search_path TO other, public;
CREATE TABLE here (a int2 UNIQUE, b float4 NOT NULL);
`

describe('PostgreSQL DDL, read by us and run by a server', () => {
  it('a script with a bit of everything', async () => {
    const { database } = await freshDatabase()
    await database.transaction((client) => client.query(script))
    const parsed = await parse(script)
    expect(errors(parsed)).toEqual([])
    const [ours, theirs] = [shapeOf(parsed), await shapeOfServer(database, ['crm', 'Odd', 'other'])]
    expect(ours).toEqual(theirs)
    expect(theirs.columns.length).toBeGreaterThan(50)
  })

  it('our own migrations', async () => {
    const { database } = await freshDatabase()
    const folder = path.resolve(import.meta.dirname, '../../../migrations')
    const files = fs.readdirSync(folder).filter((f) => f.endsWith('.sql'))
    const parsed = await parse(
      files
        .sort()
        .map((f) => fs.readFileSync(path.join(folder, f), 'utf8'))
        .join('\n'),
    )
    expect(errors(parsed)).toEqual([])
    const ours = shapeOf(parsed)
    const names = new Set(ours.columns.map((line) => line.split('.')[1]))
    const theirs = await shapeOfServer(database, ['public'])
    const isMigrated = (line: string) => names.has(line.slice('public.'.length).split(/[. ]/)[0])
    for (const part of ['columns', 'primaryKeys', 'uniques', 'foreignKeys'] as const)
      expect(ours[part].filter(isMigrated), part).toEqual(theirs[part].filter(isMigrated))
    expect(names.size).toBeGreaterThan(25)
  })
})
