import { beforeAll, expect, test } from 'vitest'
import { columnNullable, columnOrdinal, columnTypeText } from '../../../src/catalog/column.js'
import { parseSource } from '../../../src/catalog/sources/index.js'
import { analyzeChangeHistory } from '../../../src/patterns/changes/change-history.js'
import { historyOf, type SchemaSnapshot } from '../../../src/patterns/changes/snapshots.js'
import { learnColumnTypes, summarizeColumnTypes } from '../../../src/patterns/column-types.js'
import { learnPatterns } from '../../../src/patterns/learn.js'
import { ledgerSource } from '../../../src/patterns/ledger-source.js'
import { notGiven } from '../../../src/patterns/temporal/sources.js'
import type { Database } from '../../../src/postgres/sql.js'
import { EspalierError } from '../../../src/util/error.js'
import { freshDatabase } from '../../support/database.js'
import { describeIf, sharedData } from '../../support/need.js'
import { ingestVersion, schemaHistory, type Version } from '../../support/schema-history.js'

const project = 'coppermine'
const folder = sharedData

/** The columns that a version's own text tells, without a ledger. */
async function snapshotOf({ text, observedAt }: Version): Promise<SchemaSnapshot> {
  const { facts } = await parseSource('mysql-ddl', text, { projectId: project, systemId: 'mysql', file: 'tables.sql' })
  const tables = new Map(facts.flatMap((f) => (f.fact === 'edge' && f.label === 'HAS_COLUMN' ? [[f.targetId, f.sourceId] as const] : [])))
  const columns = facts.flatMap((f) => {
    if (f.fact !== 'node' || f.kind !== 'Column') return []
    const { id, name, properties: p } = f
    const table = tables.get(id)!
    return [[id, { name, type: columnTypeText(p), nullable: columnNullable(p), ordinal: columnOrdinal(p), table }] as const]
  })
  return { at: observedAt, columns: Object.fromEntries(columns) }
}

describeIf(folder !== null, 'needs ../shared/data', 'a real history, shuffled on its way in', () => {
  let database: Database
  let versions: Version[]
  beforeAll(async () => {
    ;({ database } = await freshDatabase())
    versions = schemaHistory(folder!, project, 12)
    for (const version of versions.toSorted((a, b) => a.text.length - b.text.length)) await ingestVersion(database, project, version)
  })

  test('gives from the ledger what its texts give', async () => {
    const history = historyOf(await Promise.all(versions.map(snapshotOf)))
    const asOf = versions.at(-1)!.observedAt
    const others = {
      graph: notGiven('graph'),
      glean: () => {
        throw new EspalierError('UNAVAILABLE', 'not here')
      },
      daysBack: 30,
    }
    const { patterns } = await database.transaction(async (client) =>
      learnPatterns(await ledgerSource(client, { projectId: project }, others), { now: asOf }),
    )
    expect(patterns.schemaEvolution).toEqual(analyzeChangeHistory(history))
    expect(patterns.columnPatterns).toEqual(summarizeColumnTypes(learnColumnTypes(history.events), asOf))
    expect(patterns.columnPatterns.typeChanges).toBe(5)
    expect(patterns.temporalPatterns.combinedInsights.predictedChanges).toMatchObject({ state: 'read' })
  })
})
