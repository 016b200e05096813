import fs from 'node:fs'
import path from 'node:path'
import type { Fact } from '../../src/catalog/fact.js'
import { ingest } from '../../src/catalog/ingest.js'
import { readEstate } from '../../src/catalog/reads/read-store.js'
import { parseSource } from '../../src/catalog/sources/index.js'
import type { Database } from '../../src/postgres/sql.js'
import { canonicalJson } from '../../src/util/hash.js'

/** One version of a schema, as it was at a time. */
export interface Version {
  text: string
  observedAt: Date
}

/** Every `step`th version of a project's schema (the last one always), oldest first: files are named by Unix time. */
export function schemaHistory(folder: string, project: string, step = 1): Version[] {
  const files = fs.readdirSync(path.join(folder, 'schema-history', project)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
  return files
    .filter((_, i) => i % step === 0 || i === files.length - 1)
    .map((file) => ({
      text: fs.readFileSync(path.join(folder, 'schema-history', project, file), 'utf8'),
      observedAt: new Date(Number.parseInt(file, 10) * 1000),
    }))
}

const scope = (project: string) => ({ projectId: project, systemId: 'mysql' })
/** one name for all versions: they are the same file at different times */
const file = 'tables.sql'

export const ingestVersion = (database: Database, project: string, { text, observedAt }: Version) =>
  ingest(database, {
    ...scope(project),
    ...{ complete: true, observedAt, now: new Date(Date.UTC(2026, 0)) },
    inputs: [{ dialect: 'mysql-ddl', file, text }],
  })

const kinds: ReadonlySet<string> = new Set(['Table', 'View', 'Column'])
const labels: ReadonlySet<string> = new Set(['HAS_COLUMN', 'REFERENCES'])

/** Tables, columns and what ties them, as id -> content: what a text says on its own. */
export async function parsedState(project: string, { text }: Version): Promise<Map<string, string>> {
  const { facts } = await parseSource('mysql-ddl', text, { ...scope(project), file })
  const edgeId = (f: Extract<Fact, { fact: 'edge' }>) => `${f.sourceId} ${f.label} ${f.targetId}`
  return new Map(
    facts.flatMap((f) => {
      if (f.fact === 'node' && kinds.has(f.kind)) return [[f.id, `${f.name} ${canonicalJson(f.properties)}`] as const]
      return f.fact === 'edge' && labels.has(f.label) ? [[edgeId(f), canonicalJson(f.properties)] as const] : []
    }),
  )
}

/** The same, as the ledger has it now. */
export async function ledgerState(database: Database, project: string): Promise<Map<string, string>> {
  const { nodes, edges } = await readEstate(database, { projectId: project })
  return new Map([
    ...nodes.filter((n) => kinds.has(n.kind)).map((n) => [n.id, `${n.name} ${canonicalJson(n.properties)}`] as const),
    ...edges
      .filter((e) => labels.has(e.label))
      .map((e) => [`${e.sourceId} ${e.label} ${e.targetId}`, canonicalJson(e.properties)] as const),
  ])
}
