import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyChanges, learnChanges, summarizeChanges } from '../../../src/patterns/changes/change-history.js'
import { historyOf } from '../../../src/patterns/changes/snapshots.js'
import { guessColumnType } from '../../../src/patterns/column-type-guess.js'
import {
  type ColumnEvent,
  ColumnTypeLearner,
  emptyColumnTypes,
  evolutionOf,
  learnColumnTypes,
  summarizeColumnTypes,
} from '../../../src/patterns/column-types.js'
import { givenSource, parseGivenFacts } from '../../../src/patterns/given.js'
import { learningSteps, learnPatterns, type PatternSource } from '../../../src/patterns/learn.js'
import { changeProbability, predictSchemaEvolution } from '../../../src/patterns/schema-evolution.js'
import type { CatalogEdge, CatalogNode } from '../../../src/vocabulary.js'
import { day, expectNumbers, histories } from './changes/random-histories.js'

const now = day(2_000)
const common = { projectId: 'p', systemId: 's' }

/** The estate at the end of a history, with its tables. */
function estateOf(snapshots: Parameters<typeof historyOf>[0]): { nodes: CatalogNode[]; edges: CatalogEdge[] } {
  const columns = Object.entries(snapshots.at(-1)?.columns ?? {})
  const tables = [...new Set(columns.map(([, column]) => column.table))]
  return {
    nodes: [
      ...tables.map((id): CatalogNode => ({ ...common, id, kind: 'Table', name: id, qualifiedName: id, properties: {} })),
      ...columns.map(
        ([id, { name, type }]): CatalogNode => ({
          ...common,
          ...{ id, kind: 'Column', name, qualifiedName: id, properties: { data_type: type } },
        }),
      ),
    ],
    edges: columns.map(
      ([id, { table }]): CatalogEdge => ({
        ...common,
        ...{ sourceId: table, label: 'HAS_COLUMN', targetId: id, discriminator: '', properties: {} },
      }),
    ),
  }
}

/** A source whose columns come in parts of a size. */
function inParts(source: PatternSource, events: readonly ColumnEvent[], size: number): PatternSource {
  async function* parts() {
    for (let i = 0; i < events.length; i += size) yield events.slice(i, i + size)
  }
  return { ...source, columns: () => ({ total: events.length, parts: parts() }) }
}

describe('the engine', () => {
  it('learns the same in parts of any size, from events in any order, never NaN', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 1, max: 7 }), fc.infiniteStream(fc.nat()), async (snapshots, size, shuffle) => {
        const { events } = historyOf(snapshots)
        const shuffled = events
          .map((event) => ({ event, key: shuffle.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event)
        const facts = { ...estateOf(snapshots), observedAt: snapshots.at(-1)?.at ?? day(0) }
        const source = givenSource({ ...facts, events })
        const whole = await learnPatterns(source, { now })
        expect(await learnPatterns(inParts(source, events, size), { now })).toEqual(whole)
        expect(await learnPatterns(givenSource({ ...facts, events: shuffled }), { now })).toEqual(whole)
        expectNumbers(whole)
        // what is stored must be JSON
        expect(JSON.parse(JSON.stringify(whole.patterns))).toEqual(whole.patterns)
      }),
      { numRuns: 40 },
    )
  })

  it('answers nothing at all, one look and one column', async () => {
    const nothing = await learnPatterns(givenSource({ nodes: [], edges: [], observedAt: day(0) }), { now })
    expectNumbers(nothing)
    expect(nothing.patterns.summary).toMatchObject({ nodes: 0, edges: 0, uniqueColumnTypes: 0, hasHistoricalData: false })
    expect(predictSchemaEvolution(nothing.learning, 'int')).toEqual([{ type: 'int', change: false, probability: 1 }])
    expect(guessColumnType(nothing.patterns.columnPatterns, { column: 'id' })).toEqual([])
    const column = { id: 'c', kind: 'Column', properties: { data_type: 'int' } }
    const one = await learnPatterns(givenSource(parseGivenFacts({ nodes: [column], edges: [] }, now)), { now })
    expectNumbers(one)
    expect(one.patterns.columnPatterns).toMatchObject({ columns: 1, typeDistribution: { int: 1 }, typeChanges: 0 })
    expect(one.patterns.temporalPatterns.combinedInsights).toMatchObject({ schemaEvolutionRate: null, qualityTrends: [] })
  })

  it('says how far it is, step by step, and stops when it is told to', async () => {
    const told: [string, number][] = []
    const source = givenSource({ nodes: [], edges: [], observedAt: day(0) })
    await learnPatterns(source, { now, onStep: (step, fraction) => told.push([step, fraction]) })
    expect([...new Set(told.map(([step]) => step))]).toEqual([...learningSteps])
    expect(told.map(([, fraction]) => fraction)).toEqual([...told.map(([, fraction]) => fraction)].sort((a, b) => a - b))
    expect(told.at(-1)).toEqual(['temporal', 1])
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(learnPatterns(source, { now, signal })).rejects.toThrow('enough')
  })

  it('tells what is wrong with facts that are handed in', () => {
    expect(() => parseGivenFacts({ nodes: [{ id: 'x', kind: 'Tabel' }], edges: [] }, now)).toThrow('the first at nodes.0.kind')
    expect(() => parseGivenFacts('all of them', now)).toThrow('facts: 1 problem(s)')
  })
})

describe('counts that predictions are made from', () => {
  it('tell what all columns tell', () => {
    const contexts = [{}, { column: 'x_id' }, { table: 'a' }, { table: 'b', column: 'constructor', horizonDays: 400 }]
    fc.assert(
      fc.property(histories, fc.nat(300), (snapshots, later) => {
        const { events } = historyOf(snapshots)
        const learning = learnColumnTypes(events)
        const asOf = new Date((learning.lastEventAt ?? 0) + later * 86_400_000)
        // spells that are still open, counted one by one
        const open = Object.values(learning.columns).reduce((sum, { since }) => sum + (asOf.getTime() - since) / 86_400_000, 0)
        const { overall } = evolutionOf(learning)
        expect(overall.days + (overall.open * asOf.getTime()) / 86_400_000 - overall.begun).toBeCloseTo(learning.overall.days + open, 4)
        for (const context of contexts) {
          const p = changeProbability(learning, 'int', { ...context, asOf })
          expect(changeProbability(evolutionOf(learning), 'int', { ...context, asOf })).toBe(p)
          expect(p).toBeGreaterThanOrEqual(0)
          expect(p).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('are the same learned in place and as a value', () => {
    fc.assert(
      fc.property(histories, fc.nat(20), (snapshots, cut) => {
        const { events } = historyOf(snapshots)
        const learner = new ColumnTypeLearner(learnColumnTypes(events.slice(0, cut), emptyColumnTypes()))
        for (const event of events.slice(cut)) learner.learn(event)
        const whole = learnColumnTypes(events)
        expect(learner.value()).toEqual(whole)
        expect(learner.summarize(now)).toEqual(summarizeColumnTypes(whole, now))
        expect(learner.evolution()).toEqual(evolutionOf(whole))
      }),
    )
  })

  it('of changes: summarising on the way changes nothing', () => {
    fc.assert(
      fc.property(histories, (snapshots) => {
        const { events } = historyOf(snapshots)
        const whole = learnChanges(events)
        expect(learnChanges([], whole)).toEqual(whole)
        expect(summarizeChanges(learnChanges(events, emptyChanges()), now)).toEqual(summarizeChanges(whole, now))
      }),
    )
  })
})

describe('guessing the type of a column', () => {
  const column = (table: string, name: string, type: string, ordinal: number): ColumnEvent => ({
    at: day(0),
    columnId: `${table}.${name}`,
    column: { name, type, nullable: true, ordinal, table },
  })
  const patterns = summarizeColumnTypes(
    learnColumnTypes([
      ...[1, 2, 3, 4].map((n) => column(`t${n}`, 'order_id', 'bigint', 1)),
      ...[1, 2, 3, 4].flatMap((n) => [column(`t${n}`, 'name', 'varchar(20)', 2), column(`t${n}`, 'note', 'varchar(90)', 3)]),
    ]),
    day(1),
  )

  it('goes by the last word, then table and place, then all columns; sums to 1', () => {
    const [first] = guessColumnType(patterns, { column: 'customer_id' })
    expect(first).toMatchObject({ type: 'bigint', count: 4 })
    expect(first!.probability).toBeGreaterThan(0.7)
    expect(guessColumnType(patterns, { column: 'thing' })[0]!.type).toBe('varchar')
    for (const context of [{ column: 'id' }, { column: 'x', table: 't1', ordinal: 1 }, { column: '__proto__', table: 'constructor' }])
      expect(guessColumnType(patterns, context).reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12)
  })
})
