import { type Problem, problem } from '../../util/problem.js'
import type { NodeKind, Properties } from '../../vocabulary.js'
import type { EdgeFact, NodeFact, ParsedSource, SourceContext } from '../fact.js'
import { nodeId } from '../identity.js'
import { qualify } from '../sql/names.js'
import { canonicalType, printType } from '../sql/type-tree.js'
import { maxColumns, Profile, typeOf } from './json-profile.js'
import { RowReader } from './json-rows.js'
import { pieces, type Source, type SourceText } from './source.js'

/**
 * A table per JSON file: an array of objects, an object with one array of objects, JSON Lines, or one object. Its id comes from the whole
 * path: the folder is its database, the file name its name (`.json` dropped, any other ending kept). Values are profiled, never stored.
 */
export const jsonTable: Source = {
  name: 'JSON tables',
  extensions: ['.jsonl', '.ndjson', '.json'],
  looksLike: (head) => /^\s*(?:\[\s*(?:[{\]]|$)|\{\s*(?:"|\}|$))/.test(head),
  parse: parseJsonTable,
}

const defaultDepth = 3

async function parseJsonTable(text: SourceText, context: SourceContext): Promise<ParsedSource> {
  const rows = new Profile(maxColumns)
  const reader = new RowReader(context.file, (row) => rows.add(row), /\.(?:jsonl|ndjson)$/i.test(context.file))
  for await (const piece of pieces(text)) reader.write(piece)
  reader.end()
  const problems = [...reader.problems]
  if (rows.dropped > 0) problems.push(tooWide(context.file, rows.dropped))
  if (reader.rowCount === 0) return { facts: [], problems: problems.length > 0 ? problems : [noRows(context.file)] }
  return { facts: factsOf(rows, context), problems }
}

const noRows = (file: string): Problem =>
  problem({ severity: 'warning', code: 'json-empty', where: `${file}:1`, found: 'no rows', expected: 'at least one object' })

const tooWide = (file: string, dropped: number): Problem =>
  problem({
    severity: 'warning',
    code: 'json-wide',
    where: file,
    found: `more than ${maxColumns.toLocaleString('en')} keys (${dropped.toLocaleString('en')} values were passed over)`,
    expected: 'keys that are names of columns',
    suggestion: 'Where the keys are data, put them into a nested object.',
  })

/** Folder and file name of a path, whichever slash it has. */
function placeOf(file: string, defaultDatabase: string): { database: string; table: string; name: string } {
  const parts = file
    .replaceAll('\\', '/')
    .split('/')
    .filter((p) => p !== '' && p !== '.')
  const base = parts.at(-1) ?? file
  const table = base.replace(/\.json$/i, '')
  return { database: parts.slice(0, -1).join('/') || defaultDatabase, table, name: base.replace(/\.(?:json|jsonl|ndjson)$/i, '') || base }
}

/** One leaf place in the rows: its path of keys, and what was seen there. */
interface Leaf {
  path: string[]
  profile: Profile
}

/** Columns from all keys; nested objects as dotted columns down to `depth` levels below the top, in order of appearance. */
function* leaves(profile: Profile, depth: number, path: string[] = []): Generator<Leaf> {
  for (const [key, member] of profile.members ?? []) {
    const here = [...path, key]
    if (member.isRecord && here.length <= depth) yield* leaves(member, depth, here)
    else yield { path: here, profile: member }
  }
}

function factsOf(rows: Profile, context: SourceContext): (NodeFact | EdgeFact)[] {
  const { database, table, name } = placeOf(context.file, context.defaultDatabase ?? 'default')
  const id = (kind: NodeKind, qualifiedName: string) => nodeId(context.projectId, context.systemId, kind, qualifiedName)
  const provenance = { dialect: 'json-table', file: context.file, location: 'line 1' }
  const node = (kind: NodeKind, qualifiedName: string, label: string, properties: Properties): NodeFact => ({
    fact: 'node',
    id: id(kind, qualifiedName),
    kind,
    name: label,
    qualifiedName,
    properties,
    provenance,
  })
  const edge = (sourceId: string, label: EdgeFact['label'], targetId: string): EdgeFact => ({
    fact: 'edge',
    sourceId,
    label,
    targetId,
    properties: {},
    provenance,
  })
  const tableName = qualify(database, table)
  const columns = [...leaves(rows, context.depth ?? defaultDepth)]
  const facts: (NodeFact | EdgeFact)[] = [
    { ...node('Database', qualify(database), database, {}), partial: true },
    node('Table', tableName, name, { table_type: 'json', row_count: rows.present, column_count: columns.length }),
    edge(id('Database', qualify(database)), 'CONTAINS', id('Table', tableName)),
  ]
  columns.forEach(({ path, profile }, i) => {
    const column = qualify(database, table, ...path)
    facts.push(node('Column', column, path.join('.'), columnProperties(profile, rows.present, i + 1)))
    facts.push(edge(id('Table', tableName), 'HAS_COLUMN', id('Column', column)))
  })
  return facts
}

function columnProperties(profile: Profile, rowCount: number, ordinal: number): Properties {
  const type = typeOf(profile)
  const canonical = canonicalType(type)
  const distinct = profile.distinctEstimate
  return {
    data_type: printType(type),
    type_tree: JSON.parse(JSON.stringify(type)) as Properties,
    ...(canonical ? { canonical_type: canonical } : {}),
    ordinal,
    nullable: profile.nulls > 0 || profile.present < rowCount,
    is_partition: false,
    presence_ratio: Number((profile.present / rowCount).toFixed(4)),
    ...(distinct === null ? {} : { distinct_estimate: distinct }),
  }
}
