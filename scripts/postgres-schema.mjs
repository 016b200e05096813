/**
 * Prints a database's tables, views, functions and triggers as SQL, in a fixed order, from Postgres' own catalog tables: the embedded
 * server ships no pg_dump. What it prints is for reading and for seeing drift; migrations remain the way to make a database.
 */
const tablesQuery = `
  SELECT c.oid, c.relname AS name, c.relkind AS kind, obj_description(c.oid, 'pg_class') AS comment, pg_get_partkeydef(c.oid) AS partition_key,
         c.relpersistence = 'u' AS unlogged
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  ORDER BY c.relname COLLATE "C"`
const columnsQuery = `
  SELECT a.attrelid AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
         a.attidentity AS identity, a.attgenerated AS generated, pg_get_expr(d.adbin, d.adrelid) AS "default",
         CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END AS collation
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`
// Postgres 18 keeps NOT NULL as constraints of type n; the column says it already
const constraintsQuery = `
  SELECT conrelid AS oid, conname AS name, pg_get_constraintdef(oid) AS definition
  FROM pg_constraint WHERE conrelid = ANY($1) AND contype <> 'n'
  ORDER BY conrelid, array_position(ARRAY['p', 'u', 'c', 'f', 'x', 't'], contype::text), conname COLLATE "C"`
const indexesQuery = `
  SELECT i.indrelid AS oid, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = ANY($1) AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
  ORDER BY c.relname COLLATE "C"`
const triggersQuery = `
  SELECT tgrelid AS oid, pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgrelid = ANY($1) AND NOT tgisinternal ORDER BY tgname COLLATE "C"`
const functionsQuery = `
  SELECT pg_get_functiondef(p.oid) AS definition
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = 'public' AND p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  ORDER BY p.proname COLLATE "C", pg_get_function_identity_arguments(p.oid) COLLATE "C"`
const typesQuery = `
  SELECT t.typname AS name, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid
  WHERE n.nspname = 'public' GROUP BY t.typname ORDER BY t.typname COLLATE "C"`
const extensionsQuery = `SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname COLLATE "C"`

const columnText = ({ name, type, collation, identity, generated, default: value, not_null }) =>
  [
    name,
    type,
    collation ? `COLLATE "${collation}"` : '',
    identity ? `GENERATED ${identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY` : '',
    generated ? `GENERATED ALWAYS AS (${value}) ${generated === 's' ? 'STORED' : 'VIRTUAL'}` : value ? `DEFAULT ${value}` : '',
    not_null ? 'NOT NULL' : '',
  ]
    .filter(Boolean)
    .join(' ')

/** The SQL text of everything in schema `public` of a database; `sql` has `query(text, values)`. */
export async function printPostgresSchema(sql) {
  const rows = async (text, values) => (await sql.query(text, values)).rows
  const relations = await rows(tablesQuery)
  const oids = [relations.map((r) => r.oid)]
  const [extensions, types, functions] = [await rows(extensionsQuery), await rows(typesQuery), await rows(functionsQuery)]
  const of = async (query) => group(await rows(query, oids))
  const [columns, constraints, indexes, triggers] = [
    await of(columnsQuery),
    await of(constraintsQuery),
    await of(indexesQuery),
    await of(triggersQuery),
  ]
  const views = await rows(
    `SELECT c.oid, pg_get_viewdef(c.oid, true) AS definition FROM pg_class c WHERE c.oid = ANY($1) AND c.relkind IN ('v', 'm')`,
    oids,
  )
  const viewOf = new Map(views.map((v) => [v.oid, v.definition.trim()]))
  const relationText = (r) => {
    const comment = r.comment ? `COMMENT ON ${r.kind === 'v' ? 'VIEW' : 'TABLE'} ${r.name} IS '${r.comment.replaceAll("'", "''")}';` : ''
    const after = [...(indexes.get(r.oid) ?? []), ...(triggers.get(r.oid) ?? [])].map((i) => `${i.definition};`)
    if (viewOf.has(r.oid))
      return [`CREATE ${r.kind === 'm' ? 'MATERIALIZED VIEW' : 'VIEW'} ${r.name} AS\n${viewOf.get(r.oid)}`, ...after, comment]
    const members = [
      ...(columns.get(r.oid) ?? []).map(columnText),
      ...(constraints.get(r.oid) ?? []).map((c) => `CONSTRAINT ${c.name} ${c.definition}`),
    ]
    const partition = r.partition_key ? ` PARTITION BY ${r.partition_key}` : ''
    return [`CREATE ${r.unlogged ? 'UNLOGGED ' : ''}TABLE ${r.name} (\n  ${members.join(',\n  ')}\n)${partition};`, ...after, comment]
  }
  const tables = relations.filter((r) => !viewOf.has(r.oid))
  return `${[
    '-- Generated from the migrations by scripts/schema.mjs: for reading, and to see drift.',
    ...extensions.map((e) => `CREATE EXTENSION ${e.name};`),
    ...types.map((t) => `CREATE TYPE ${t.name} AS ENUM (${t.labels.map((l) => `'${l}'`).join(', ')});`),
    ...tables.map((t) => relationText(t).filter(Boolean).join('\n')),
    ...relations.filter((r) => viewOf.has(r.oid)).map((v) => relationText(v).filter(Boolean).join('\n')),
    ...functions.map((f) => `${f.definition.trim()};`),
  ].join('\n\n')}\n`
}

const group = (items) => {
  const groups = new Map()
  for (const item of items) groups.set(item.oid, [...(groups.get(item.oid) ?? []), item])
  return groups
}
