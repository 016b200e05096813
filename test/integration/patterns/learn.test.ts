import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportHistoryToGlean } from '../../../src/catalog/glean/export.js'
import { openExportTarget, openGlean } from '../../../src/catalog/glean/open.js'
import { ingest } from '../../../src/catalog/ingest.js'
import { awaitProjection, type Projection, startProjection } from '../../../src/catalog/projection/projection.js'
import { columnEvents } from '../../../src/catalog/reads/learning-store.js'
import { readColumnHistory, readEstate, readMetricSeries, readSnapshots } from '../../../src/catalog/reads/read-store.js'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { analyzeChangeHistory } from '../../../src/patterns/changes/change-history.js'
import { type ColumnEvent, learnColumnTypes, summarizeColumnTypes } from '../../../src/patterns/column-types.js'
import { comparePatternSets } from '../../../src/patterns/compare.js'
import { givenSource } from '../../../src/patterns/given.js'
import { learningSteps, learnPatterns, type Patterns } from '../../../src/patterns/learn.js'
import { learnPatternsOptions } from '../../../src/patterns/learn-options.js'
import { ledgerSource, type OtherSources } from '../../../src/patterns/ledger-source.js'
import { entropyMetrics, learnMetadataEntropy, summarizeMetadataEntropy } from '../../../src/patterns/metadata-entropy.js'
import { learnRelationships } from '../../../src/patterns/relationships.js'
import { predictSchemaEvolution } from '../../../src/patterns/schema-evolution.js'
import { readLearning, readPatternSets, savePatternSet } from '../../../src/patterns/store.js'
import { askGraphTimes, startGraphAnswers } from '../../../src/patterns/temporal/graph-questions.js'
import { learnWorkflows } from '../../../src/patterns/workflow-patterns.js'
import type { Platform } from '../../../src/platform.js'
import type { Database } from '../../../src/postgres/sql.js'
import type { Claim } from '../../../src/runs/attempt.js'
import { createLogger } from '../../../src/util/log.js'
import type { Run, RunEventBody } from '../../../src/vocabulary.js'
import { learnPatterns as learnPatternsTask } from '../../../src/worker/tasks/learn-patterns.js'
import { freshDatabase } from '../../support/database.js'

const projectId = 'shop'
const log = createLogger('silent')
const at = (month: number) => new Date(Date.UTC(2024, month, 1))
const ddl = (month: number) => `
  CREATE TABLE s.orders (id ${month < 2 ? 'INT' : 'BIGINT'}, customer_id INT, note STRING${month >= 3 ? ', total DECIMAL(10,2)' : ''});
  CREATE TABLE s.customers (id INT${month === 4 ? '' : ', email STRING'});
  ${month >= 1 ? 'CREATE TABLE s.items (order_id INT, sku STRING);' : ''}`

let database: Database
let engine: GraphEngine
let projection: Projection
let folder: string
beforeAll(async () => {
  ;({ database } = await freshDatabase())
  for (let month = 0; month < 6; month++)
    await ingest(database, {
      ...{ projectId, systemId: 'hive', observedAt: at(month), complete: true, now: at(12) },
      inputs: [{ dialect: 'hive-ddl', file: 'all.sql', text: ddl(month) }],
    })
  engine = await openGrafeo({ folder: null, log })
  await engine.prepare()
  projection = await startProjection({ database, engine, log })
  await awaitProjection(database, engine)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-patterns-'))
})
afterAll(async () => {
  await projection?.stop()
  await engine?.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

const notConfigured = { predicatePrefix: 'x.Y', dbName: 'amodels', useCli: false }
const unreachable: OtherSources = {
  graph: () => askGraphTimes(database, projectId, { timeoutMs: 1 }),
  glean: () => openGlean(notConfigured),
  daysBack: 30,
}

const learn = (others: OtherSources = unreachable, since?: Date): Promise<Awaited<ReturnType<typeof learnPatterns>>> =>
  database.transaction(
    async (client) => learnPatterns(await ledgerSource(client, { projectId, ...(since ? { since } : {}) }, others), { now: at(12) }),
    { isolation: 'repeatable read' },
  )

const streamed = (since?: Date): Promise<ColumnEvent[]> =>
  database.transaction(async (client) => {
    const events: ColumnEvent[] = []
    for await (const part of columnEvents(client, { projectId, ...(since ? { since } : {}) })) events.push(...part)
    return events
  })

describe('the ledger in parts', () => {
  test('tells what reading it whole tells', async () => {
    expect(await streamed()).toEqual(await readColumnHistory(database, projectId))
  })

  test('from a moment on, what stood then is where history begins', async () => {
    const whole = await readColumnHistory(database, projectId)
    const since = new Date(at(2).getTime() + 1)
    const state = new Map<string, ColumnEvent['column']>()
    for (const { at: time, columnId, column } of whole) if (time <= since) state.set(columnId, column)
    const begun = [...state].flatMap(([columnId, column]) => (column ? [{ at: since, columnId, column }] : []))
    const expected = [...begun.sort((a, b) => (a.columnId < b.columnId ? -1 : 1)), ...whole.filter((event) => event.at > since)]
    expect(await streamed(since)).toEqual(expected)
  })
})

test('one pass learns what each learner does on its own', async () => {
  const { patterns } = await learn()
  const [events, estate, snapshots] = [
    await readColumnHistory(database, projectId),
    await readEstate(database, { projectId }),
    await readSnapshots(database, { projectId }),
  ]
  const points = await readMetricSeries(
    database,
    estate.nodes.map(({ id }) => id),
    { names: entropyMetrics },
  )
  expect(patterns.columnPatterns).toEqual(summarizeColumnTypes(learnColumnTypes(events), at(5)))
  expect(patterns.relationshipPatterns).toEqual(learnRelationships(estate.nodes, estate.edges))
  expect(patterns.metricsPatterns).toEqual(summarizeMetadataEntropy(learnMetadataEntropy(points)))
  expect(patterns.workflowPatterns).toEqual(learnWorkflows(estate.nodes, estate.edges))
  expect(patterns.schemaEvolution).toEqual(analyzeChangeHistory({ events, observedAt: snapshots.map((s) => s.observedAt) }))
  expect(patterns.summary).toMatchObject({ snapshots: 6, hasHistoricalData: true, asOf: at(5).toISOString(), nodes: estate.nodes.length })
  expect(patterns.metricsPatterns.points).toBeGreaterThan(10)
  expect(patterns.columnPatterns.transitions).toEqual([{ from: 'int', to: 'bigint', count: 1, meanDays: 60 }])
})

describe('the temporal learner', () => {
  const sources = (patterns: Patterns) =>
    Object.fromEntries(patterns.temporalPatterns.combinedInsights.dataSources.map((source) => [source.name, source]))

  test('names what cannot be asked as failed, with its reason', async () => {
    const { patterns } = await learn()
    const { temporalPatterns: temporal } = patterns
    expect(temporal.neo4jTemporal).toMatchObject({
      state: 'failed',
      code: 'UNAVAILABLE',
      reason: expect.stringContaining('no server answered'),
    })
    expect(temporal.temporalMetrics).toMatchObject({
      state: 'failed',
      code: 'UNAVAILABLE',
      remedy: expect.stringContaining('GLEAN_BATCH_DIR'),
    })
    expect(sources(patterns)).toMatchObject({
      postgres: { state: 'read' },
      graph: { state: 'failed', records: null },
      glean: { state: 'failed', records: null },
      json_with_changes: { state: 'read', records: 0 },
    })
    // nobody waits for the answer any more
    expect((await database.query('select * from graph_question')).rows).toEqual([])
  })

  test('puts together ledger, graph and exports', async () => {
    const glean = { ...notConfigured, batchDir: folder }
    const snapshots = (await readSnapshots(database, { projectId })).reverse()
    await exportHistoryToGlean(database, snapshots, openExportTarget({ dir: folder }, glean), { now: at(12) })
    const answers = await startGraphAnswers({ database, graph: engine, log })
    try {
      const { patterns } = await learn({
        graph: () => askGraphTimes(database, projectId),
        glean: () => openGlean(glean, () => at(12)),
        daysBack: 3_650,
      })
      const { temporalPatterns: temporal } = patterns
      const { rows: months } = await database.query(
        `select to_char(updated_at at time zone 'UTC', 'YYYY-MM') as month, count(*) as nodes from node where project_id = $1 group by 1 order by 1`,
        [projectId],
      )
      expect(temporal.neo4jTemporal).toMatchObject({
        ...{ state: 'read', engine: 'grafeo', nodes: patterns.summary.nodes },
        ledger: { nodes: patterns.summary.nodes, isSame: true },
        metrics: { nodes: 5, lastCalculatedAt: at(5).toISOString() },
        months,
      })
      expect(temporal.temporalMetrics).toMatchObject({ state: 'read', transport: 'batch', exports: { moments: 6 }, columnCount: { n: 6 } })
      expect(temporal.postgresTemporal).toMatchObject({ state: 'read', snapshots: { moments: 6 }, byKind: { type_changed: 1 } })
      const { schemaEvolutionRate, qualityTrends, predictedChanges } = temporal.combinedInsights
      expect(schemaEvolutionRate!.perMonth.value).toBeGreaterThan(0)
      expect(schemaEvolutionRate!.perMonth.low).toBeLessThan(schemaEvolutionRate!.perMonth.value)
      expect(qualityTrends).toContainEqual(expect.objectContaining({ metric: 'column_count', source: 'postgres', n: 6 }))
      expect(predictedChanges).toMatchObject({ state: 'read', horizonDays: 90 })
      expect(Object.values(sources(patterns)).map(({ state }) => state)).toEqual(['read', 'read', 'read', 'read'])
    } finally {
      await answers.stop()
    }
  })

  test('reads when files themselves say that columns changed', async () => {
    const changes = [
      { at: '2024-01-03T00:00:00Z', type: 'int' },
      { at: '2024-03-05T00:00:00Z', status: 'modified', type: 'bigint' },
    ]
    const file = {
      format: 'espalier/change-history',
      version: 1,
      tables: [{ database: 'crm', name: 'person', columns: [{ name: 'id', changes }] }],
    }
    await ingest(database, {
      ...{ projectId: 'stated', systemId: 's', now: at(12) },
      inputs: [{ file: 'json_with_changes.json', text: JSON.stringify(file) }],
    })
    const { patterns } = await database.transaction(async (client) =>
      learnPatterns(await ledgerSource(client, { projectId: 'stated' }, unreachable), { now: at(12) }),
    )
    expect(patterns.temporalPatterns.evolutionPatterns).toMatchObject({
      ...{ state: 'read', files: 1, columns: 1 },
      months: [
        { month: '2024-01', versions: 1, columns: 1 },
        { month: '2024-03', versions: 1, columns: 1 },
      ],
    })
  })

  test('tells what the graph itself answered when it could not', async () => {
    const broken = { name: 'broken', read: () => Promise.reject(new Error('the disk is full')) }
    const answers = await startGraphAnswers({ database, graph: broken, log })
    try {
      await expect(askGraphTimes(database, projectId)).rejects.toThrow('the disk is full')
    } finally {
      await answers.stop()
    }
  })
})

test('facts in hand give the same patterns as the ledger they were read from', async () => {
  const estate = await readEstate(database, { projectId })
  const events = await readColumnHistory(database, projectId)
  const given = givenSource({ ...estate, events: [...events].reverse(), observedAt: at(5) })
  const { patterns } = await learnPatterns(given, { now: at(12) })
  const { patterns: stored } = await learn()
  for (const learner of ['columnPatterns', 'relationshipPatterns', 'workflowPatterns', 'schemaEvolution'] as const)
    expect(patterns[learner]).toEqual(stored[learner])
  expect(patterns.temporalPatterns.combinedInsights.dataSources.map(({ state }) => state)).toEqual(Array(4).fill('failed'))
})

describe('pattern sets', () => {
  test('are numbered, kept as they are, and compared', async () => {
    const early = await learn(unreachable, at(3))
    const whole = await learn()
    const set = { projectId, learnedAt: at(12), runId: null, snapshotIds: ['a'] }
    const first = await savePatternSet(database, { ...set, since: at(3), ...early })
    const second = await savePatternSet(database, { ...set, since: null, snapshotIds: ['a', 'b'], ...whole })
    expect([first.id, second.id]).toEqual(['shop@1', 'shop@2'])
    expect(second).toMatchObject({ format: 2, since: null })
    const stored = await readLearning(database, projectId, 2)
    expect(stored.patterns).toEqual(JSON.parse(JSON.stringify(whole.patterns)))
    expect(predictSchemaEvolution(stored.learning, 'int')).toEqual(predictSchemaEvolution(whole.learning, 'int'))
    const comparison = comparePatternSets(await readLearning(database, projectId, 1), stored)
    expect(comparison.transitions).toEqual([{ name: 'int -> bigint', before: 0, after: 1, change: 1 }])
    expect(comparison.columnTypes).toEqual([])
    expect(comparison).toMatchObject({ snapshotsAdded: ['b'], snapshotsRemoved: [], notCompared: [] })
  })

  test('of before all learners were wired stay readable, predict and compare', async () => {
    const events = await readColumnHistory(database, projectId)
    const { columnPatterns, relationshipPatterns, summary } = (await learn()).patterns
    const { byTable: _, ...columns } = columnPatterns
    const { byTable: __, ...learning } = learnColumnTypes(events)
    await database.query(
      `insert into pattern_set (id, project_id, version, learned_at, snapshot_ids, patterns, learning, format) values ('old@1', 'old', 1, now(), '{}', $1, $2, 1)`,
      [JSON.stringify({ columnPatterns: columns, relationshipPatterns, summary }), JSON.stringify(learning)],
    )
    const old = await readLearning(database, 'old')
    const probabilities = predictSchemaEvolution(old.learning, 'int', { table: 'shop/hive/table:s.orders', horizonDays: 365 })
    expect(probabilities.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12)
    expect(probabilities.map(({ type }) => type)).toEqual(['int', 'bigint'])
    const now = (await readPatternSets(database, { projectId }))[0]!
    expect(comparePatternSets(old, { ...now, projectId: 'old' }).notCompared).toEqual([
      'workflowPatterns',
      'metricsPatterns',
      'schemaEvolution',
    ])
    expect(() => comparePatternSets(old, now)).toThrow('two projects')
  })
})

describe('a learning run', () => {
  const claimOf = (runId: string): { claim: Claim; told: RunEventBody[] } => {
    const told: RunEventBody[] = []
    const claim = {
      run: { id: runId } as Run,
      ...{ workerId: 'w', wanted: () => null, signal: new AbortController().signal, flush: async () => undefined },
      record: async (body: RunEventBody) => void told.push(body),
    }
    return { claim, told }
  }
  const options = learnPatternsOptions.parse({ projectIds: [projectId, 'stated'] })
  const platform = () => ({ database, config: { glean: notConfigured } }) as unknown as Platform
  const perform = () => Promise.reject(new Error('a learning run has no children'))

  test('tells each step as it is done; an attempt after it learns nothing twice', async () => {
    const answers = await startGraphAnswers({ database, graph: engine, log })
    try {
      const runId = '00000000-0000-4000-8000-000000000001'
      const first = claimOf(runId)
      const outcome = await learnPatternsTask({ platform: platform(), claim: first.claim, options, perform })
      expect(outcome).toMatchObject({
        state: 'completed',
        result: { patternSets: [{ projectId, failedSources: ['glean'] }, { projectId: 'stated' }] },
      })
      const progress = first.told.flatMap((body) => (body.type === 'metric' ? [body.value] : []))
      expect(progress).toEqual([...progress].sort((a, b) => a - b))
      expect(progress.at(-1)).toBe(1)
      const steps = first.told.flatMap((body) =>
        body.type === 'log' && body.message.startsWith('shop: ') ? [body.message.split(' ')[1]] : [],
      )
      expect(steps).toEqual(learningSteps.map((step) => `${step}:`))
      const stored = await readPatternSets(database)
      const again = await learnPatternsTask({ platform: platform(), claim: claimOf(runId).claim, options, perform })
      expect(again).toEqual(outcome)
      expect(await readPatternSets(database)).toEqual(stored)
    } finally {
      await answers.stop()
    }
  })

  test('that is cancelled stores nothing', async () => {
    const { claim } = claimOf('00000000-0000-4000-8000-000000000002')
    const stored = await readPatternSets(database)
    const cancelled = { ...claim, wanted: () => 'cancel' as const, signal: AbortSignal.abort(new Error('stopped')) }
    await expect(learnPatternsTask({ platform: platform(), claim: cancelled, options, perform })).rejects.toThrow('stopped')
    expect(await readPatternSets(database)).toEqual(stored)
  })
})
