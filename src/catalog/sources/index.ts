import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { changeHistory } from './change-history.js'
import { controlMJson } from './control-m-json.js'
import { controlMXml } from './control-m-xml.js'
import { flinkDdl } from './flink-ddl.js'
import { gleanBatch } from './glean-batch.js'
import { hiveDdl } from './hive-ddl.js'
import { jsonTable } from './json-table.js'
import { mysqlDdl } from './mysql-ddl.js'
import { postgresDdl } from './postgres-ddl.js'
import { schemaJson } from './schema-json.js'
import type { Source, SourceText } from './source.js'
import { sparkDdl } from './spark-ddl.js'
import { trinoDdl } from './trino-ddl.js'

export type { Source, SourceText } from './source.js'

/** Every dialect of metadata that ingest reads. A new one is a file here and a line in this table. */
export const sources = {
  'spark-ddl': sparkDdl,
  'trino-ddl': trinoDdl,
  'flink-ddl': flinkDdl,
  'mysql-ddl': mysqlDdl,
  'postgres-ddl': postgresDdl,
  // after the dialects that only their own words tell from it
  'hive-ddl': hiveDdl,
  'control-m-xml': controlMXml,
  'control-m-json': controlMJson,
  // before JSON tables, which it looks like too
  'glean-batch': gleanBatch,
  'schema-json': schemaJson,
  'change-history': changeHistory,
  'json-table': jsonTable,
} as const satisfies Record<string, Source>

export type Dialect = keyof typeof sources
export const dialects = Object.keys(sources) as Dialect[]
export const isDialect = (name: string): name is Dialect => Object.hasOwn(sources, name)

/** `hive` is the beginning of a dialect. */
function beginning(written: string): string | undefined {
  const meant = written === '' ? undefined : dialects.find((dialect) => dialect.startsWith(written.toLowerCase()))
  return meant && `Did you mean "${meant}"?`
}

/** Text -> facts and problems. Throws BAD_INPUT where the dialect is not one we know; anything wrong in the text itself is a problem. */
export async function parseSource(dialect: string, text: SourceText, context: SourceContext): Promise<ParsedSource> {
  if (!isDialect(dialect))
    throw new EspalierError('BAD_INPUT', `unknown dialect "${dialect}" for ${context.file}: expected one of ${dialects.join(', ')}`, {
      remedy: didYouMean(dialect, dialects) ?? beginning(dialect) ?? 'Leave the dialect out to have it recognised from the file.',
    })
  return sources[dialect].parse(text, context)
}

/**
 * The dialect of a file by its extension and its beginning (the first 4,000 characters are enough): a dialect that both fit, else one
 * that its beginning fits, else one that its extension fits; null where nothing does.
 */
export function detectDialect(file: string, head = ''): Dialect | null {
  const lower = file.toLowerCase()
  const byName = dialects.filter((d) => sources[d].extensions.some((e: string) => lower.endsWith(e)))
  const start = head.slice(0, 4000).replace(/^\uFEFF/, '')
  const byContent = start.trim() === '' ? [] : dialects.filter((d) => sources[d].looksLike(start))
  return byName.find((d) => byContent.includes(d)) ?? byContent[0] ?? byName.find((d) => !('byContentOnly' in sources[d])) ?? null
}
