import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGraphTimes } from '../../../src/patterns/temporal/graph-reading.js'
import { cadenceOf, rhythmOf } from '../../../src/patterns/temporal/rhythm.js'
import type { ExportTimes, GraphTimes, LedgerTimes, StatedTimes, TemporalSources } from '../../../src/patterns/temporal/sources.js'
import { learnTemporal } from '../../../src/patterns/temporal/temporal.js'
import { EspalierError } from '../../../src/util/error.js'
import { day, expectNumbers } from './changes/random-histories.js'

const none: { ledger: LedgerTimes; graph: GraphTimes; glean: ExportTimes; changeFiles: StatedTimes } = {
  ledger: { changes: [], observedAt: [], updatedAt: { first: null, last: null, nodes: 0 }, columnDays: 0 },
  graph: {
    engine: 'grafeo',
    kinds: [],
    months: [],
    metrics: { nodes: 0, firstCalculatedAt: null, lastCalculatedAt: null, meanEntropy: null, meanKl: null },
  },
  glean: { transport: 'batch', place: 'here', daysBack: 30, exports: [] },
  changeFiles: { files: 0, columns: 0, months: [], first: null, last: null },
}
const sourcesOf = (told: Partial<typeof none> = {}): TemporalSources => {
  const all = { ...none, ...told }
  return {
    ledger: async () => all.ledger,
    graph: async () => all.graph,
    glean: async () => all.glean,
    changeFiles: async () => all.changeFiles,
  }
}
const context = { now: day(400), quality: [], predictedChanges: { state: 'failed', reason: 'not asked' } as const }

describe('the rhythm of changes', () => {
  it('counts months without any, and days of the week', () => {
    const days = [
      // a Monday, the same Monday again, and a Sunday
      { day: '2024-01-01', count: 3 },
      { day: '2024-01-01', count: 1 },
      { day: '2024-03-31', count: 4 },
    ]
    const { months, weekdays } = rhythmOf(days, new Date('2023-12-15T00:00:00Z'), new Date('2024-04-02T00:00:00Z'))
    expect(months).toEqual([
      { month: '2023-12', count: 0 },
      { month: '2024-01', count: 4 },
      { month: '2024-02', count: 0 },
      { month: '2024-03', count: 4 },
      { month: '2024-04', count: 0 },
    ])
    expect(weekdays).toEqual([0.5, 0, 0, 0, 0, 0, 0.5])
  })

  it('does not depend on the order, and answers nothing with nothing', () => {
    const days = fc.array(
      fc.record({
        day: fc.integer({ min: 0, max: 700 }).map((n) => day(n).toISOString().slice(0, 10)),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(days, (rows) => {
        const rhythm = rhythmOf(rows, day(0), day(700))
        expect(rhythmOf([...rows].reverse(), day(0), day(700))).toEqual(rhythm)
        expectNumbers(rhythm)
        expect(rhythm.months.reduce((sum, { count }) => sum + count, 0)).toBe(rows.reduce((sum, { count }) => sum + count, 0))
      }),
    )
    expect(rhythmOf([], null, null)).toEqual({ months: [], trend: null, breaks: [], weekdays: null })
    expect(cadenceOf([])).toMatchObject({ moments: 0, first: null, last: null, daysBetween: { n: 0, mean: null } })
  })

  it('tells how far apart moments lie, each once', () => {
    expect(cadenceOf([day(10), day(0), day(10), day(40)])).toMatchObject({
      ...{ moments: 3, first: day(0).toISOString(), last: day(40).toISOString() },
      daysBetween: { n: 2, mean: 20, min: 10, max: 30 },
    })
  })
})

describe('the temporal learner', () => {
  it('answers empty sources as read and empty, without NaN', async () => {
    const learned = await learnTemporal(sourcesOf(), context)
    expectNumbers(learned)
    expect(learned.combinedInsights.dataSources.map(({ state, records }) => [state, records])).toEqual(Array(4).fill(['read', 0]))
    expect(learned.combinedInsights).toMatchObject({ schemaEvolutionRate: null, qualityTrends: [] })
    expect(Object.keys(learned)).toEqual(['evolutionPatterns', 'temporalMetrics', 'postgresTemporal', 'neo4jTemporal', 'combinedInsights'])
  })

  it('names each source that throws, and learns from the others', async () => {
    const failing: TemporalSources = {
      ...sourcesOf(),
      graph: async () => {
        throw new EspalierError('TIMEOUT', 'the graph took too long', { remedy: 'Ask again.' })
      },
      changeFiles: async () => {
        throw new TypeError('not at all')
      },
    }
    const learned = await learnTemporal(failing, context)
    expect(learned.neo4jTemporal).toEqual({ state: 'failed', code: 'TIMEOUT', reason: 'the graph took too long', remedy: 'Ask again.' })
    expect(learned.evolutionPatterns).toEqual({ state: 'failed', code: 'INTERNAL', reason: 'not at all', remedy: null })
    expect(learned.combinedInsights.dataSources.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ['postgres', 'read', null],
      ['graph', 'failed', 'the graph took too long'],
      ['glean', 'read', null],
      ['json_with_changes', 'failed', 'not at all'],
    ])
  })

  it('an abort is no answer', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const sources = { ...sourcesOf(), ledger: () => Promise.reject(new Error('cut off')) }
    await expect(learnTemporal(sources, { ...context, signal })).rejects.toThrow('enough')
  })

  it('gives the rate of schema changes with its interval, and the trends of every source', async () => {
    const ledger: LedgerTimes = {
      changes: [
        { day: '2020-02-01', kind: 'type_changed', count: 6 },
        { day: '2020-05-01', kind: 'node_added', count: 6 },
        // a comment is no change of the schema
        { day: '2020-05-01', kind: 'property_changed', count: 50 },
      ],
      observedAt: [day(0), day(365)],
      ...{ updatedAt: { first: day(0), last: day(365), nodes: 7 }, columnDays: 3652.5 },
    }
    const exports = [0, 1, 2, 3].map((n) => ({
      ...{ exportedAt: day(390), trueAt: day(30 * n), metadataEntropy: 1 + n, klDivergence: null, columnCount: 5, nodeCount: 1 },
    }))
    const kinds = [
      { kind: 'Column', nodes: 7, firstUpdatedAt: day(0).toISOString(), lastUpdatedAt: day(365).toISOString() },
      // work that was done is no part of the estate
      { kind: 'Run', nodes: 9, firstUpdatedAt: day(1).toISOString(), lastUpdatedAt: day(399).toISOString() },
    ]
    const told = { ledger, glean: { ...none.glean, exports }, graph: { ...none.graph, kinds } }
    const { combinedInsights, temporalMetrics, neo4jTemporal, postgresTemporal } = await learnTemporal(sourcesOf(told), context)
    expect(combinedInsights.schemaEvolutionRate).toMatchObject({ changes: 12, days: 365 })
    expect(combinedInsights.schemaEvolutionRate!.perMonth.value).toBeCloseTo(12 / (365 / (365.25 / 12)), 9)
    expect(combinedInsights.schemaEvolutionRate!.perColumnYear!.value).toBeCloseTo(1.2, 9)
    expect(combinedInsights.qualityTrends).toMatchObject([
      { metric: 'metadata_entropy', source: 'glean', n: 4, perDay: 1 / 30 },
      { metric: 'column_count', source: 'glean', n: 4, perDay: 0, direction: 'none' },
    ])
    expect(temporalMetrics).toMatchObject({ state: 'read', exports: { moments: 1 }, klDivergence: null })
    expect(neo4jTemporal).toMatchObject({ nodes: 7, ledger: { nodes: 7, isSame: true } })
    expect(postgresTemporal).toMatchObject({ changes: 62, byKind: { type_changed: 6, node_added: 6, property_changed: 50 } })
  })
})

describe('what the graph answers', () => {
  it('is read the same however its engine prints moments and labels', async () => {
    const answers = [
      [
        [['Node', 'Table'], 2, '2024-01-01T00:00:00Z', '2024-02-01T00:00:00.000000000Z'],
        [['Column'], 5, null, null],
      ],
      [
        ['2024-02', 1],
        ['2024-01', 1],
      ],
      [[0, null, null, null, null]],
    ]
    const asked: unknown[] = []
    const graph = {
      name: 'neo4j',
      read: async ({ text, parameters }: { text: string; parameters?: Readonly<Record<string, unknown>> }) => {
        asked.push(parameters)
        expect(text).not.toContain('shop')
        return { columns: [], rows: answers[asked.length - 1] as unknown[][], isPartial: false }
      },
    }
    expect(await readGraphTimes(graph, 'shop')).toEqual({
      engine: 'neo4j',
      kinds: [
        { kind: 'Column', nodes: 5, firstUpdatedAt: null, lastUpdatedAt: null },
        { kind: 'Table', nodes: 2, firstUpdatedAt: '2024-01-01T00:00:00.000Z', lastUpdatedAt: '2024-02-01T00:00:00.000Z' },
      ],
      months: [
        { month: '2024-01', nodes: 1 },
        { month: '2024-02', nodes: 1 },
      ],
      metrics: { nodes: 0, firstCalculatedAt: null, lastCalculatedAt: null, meanEntropy: null, meanKl: null },
    })
    expect(asked).toEqual(Array(3).fill({ project: 'shop' }))
  })
})
