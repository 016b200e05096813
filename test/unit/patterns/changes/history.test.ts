import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { analyzeChangeHistory, emptyChanges, learnChanges, summarizeChanges } from '../../../../src/patterns/changes/change-history.js'
import { historyOf, type SchemaSnapshot, SnapshotReader } from '../../../../src/patterns/changes/snapshots.js'
import { inOrder, moments, Timeline } from '../../../../src/patterns/changes/timeline.js'
import type { ColumnEvent } from '../../../../src/patterns/column-types.js'
import { day, expectNumbers, histories } from './random-histories.js'

const column = (table: string, name: string, type = 'int', nullable: boolean | null = true, ordinal = 1) => ({
  [`${table}.${name}`]: { name, type, nullable, ordinal, table },
})

describe('changes of a schema', () => {
  const snapshots: SchemaSnapshot[] = [
    { at: day(0), columns: { ...column('t', 'id'), ...column('t', 'user_name', 'varchar(20)', true, 2), ...column('u', 'id') } },
    // renamed, another type, and a table that comes
    {
      at: day(10),
      columns: {
        ...column('t', 'id', 'bigint'),
        ...column('t', 'user_nam', 'varchar(20)', true, 2),
        ...column('u', 'id'),
        ...column('v', 'k'),
      },
    },
    // one more column, nullability, and a table that goes
    {
      at: day(40),
      columns: {
        ...column('t', 'id', 'bigint', false),
        ...column('t', 'user_nam', 'varchar(20)', true, 2),
        ...column('t', 'z', 'date', true, 9),
        ...column('v', 'k'),
      },
    },
  ]
  const history = historyOf(snapshots)

  it('are told as people would: renames, tables that come and go, the first look apart', () => {
    const { changes } = learnChanges(history.events)
    expect(
      changes.filter((c) => c.at > day(0).getTime()).map(({ kind, table, column: id, from, to }) => [kind, table, id, from, to]),
    ).toEqual([
      ['type_transition', 't', 't.id', 'int', 'bigint'],
      ['rename', 't', 't.user_name', 't.user_name', 't.user_nam'],
      ['add', 'v', null, null, null],
      ['nullable', 't', 't.id', 'NULL', 'NOT NULL'],
      ['drop', 'u', null, null, null],
      ['add', 't', 't.z', null, 'date'],
    ])
    const { changePatterns, evolutionStatistics } = analyzeChangeHistory(history)
    expect(changePatterns.distribution).toEqual({ add: 2, drop: 1, type_transition: 1, rename: 1, nullable: 1 })
    expect(changePatterns.typeTransitions).toEqual([{ from: 'int', to: 'bigint', count: 1, meanDays: 10, minDays: 10, maxDays: 10 }])
    expect(changePatterns.temporalClustering).toEqual([
      { day: '2020-01-11', changes: 3, tables: 2, share: 0.5 },
      { day: '2020-02-10', changes: 3, tables: 2, share: 0.5 },
    ])
    expect(evolutionStatistics.heartbeat).toEqual([
      { month: '2020-01', changes: 3 },
      { month: '2020-02', changes: 3 },
    ])
    // u.id lived 40 days; four columns are watched: 40, 40 (renamed), 30, 0
    expect(evolutionStatistics.columnSurvival).toMatchObject({ n: 5, events: 1, days: 150 })
    expect(evolutionStatistics.tableSurvival).toMatchObject({ n: 3, events: 1, days: 110 })
  })

  it('keep the past of a renamed column', () => {
    const timeline = new Timeline()
    for (const moment of moments(inOrder(history.events))) timeline.apply(moment.at, moment.events)
    expect(timeline.column('t.user_nam')).toMatchObject({ born: day(0).getTime(), changes: 1 })
    expect(timeline.column('t.user_name')).toBeUndefined()
  })

  it('find tables that change together', () => {
    const both = Array.from({ length: 4 }, (_, i) => ({
      at: day(i * 10),
      columns: { ...column('a', 'x', `char(${i})`), ...column('b', 'x', `char(${i})`), ...column('c', 'x', i === 3 ? 'date' : 'int') },
    }))
    const { changePatterns } = analyzeChangeHistory(historyOf(both))
    expect(changePatterns.coChange).toEqual([{ a: 'a', b: 'b', together: 3, either: 3, likeness: 1 }])
    expect(changePatterns.communities).toEqual([['a', 'b']])
  })

  it('are the same moment by moment, at once and shuffled; never NaN', () => {
    fc.assert(
      fc.property(histories, fc.nat(8), fc.infiniteStream(fc.nat(1000)), (list, cut, noise) => {
        const { events, observedAt } = historyOf(list)
        const once = learnChanges(events)
        const shuffled: ColumnEvent[] = events
          .map((event) => ({ event, key: noise.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event)
        expect(learnChanges(shuffled)).toEqual(once)
        let stepwise = emptyChanges()
        for (const moment of moments(events)) stepwise = learnChanges(moment.events, stepwise)
        expect(stepwise).toEqual(once)
        const at = observedAt[cut]?.getTime() ?? Number.POSITIVE_INFINITY
        const before = learnChanges(events.filter((e) => e.at.getTime() < at))
        // stored as JSON in between
        const stored = JSON.parse(JSON.stringify(before)) as typeof before
        expect(
          learnChanges(
            events.filter((e) => e.at.getTime() >= at),
            stored,
          ),
        ).toEqual(once)
        expect(historyOf([...list].reverse())).toEqual({ events, observedAt })
        expectNumbers(summarizeChanges(once))
      }),
    )
  })

  it('answer an empty history, one snapshot and one column', () => {
    for (const list of [[], [{ at: day(0), columns: {} }], [{ at: day(0), columns: column('t', 'x') }]]) {
      const answer = analyzeChangeHistory(historyOf(list))
      expectNumbers(answer)
      expect(answer.evolutionStatistics.changes).toBe(0)
    }
  })

  it('refuse to go back in time', () => {
    const learned = learnChanges(history.events)
    expect(() => learnChanges([{ at: day(5), columnId: 'q', column: null }], learned)).toThrow(/moments must rise/)
  })

  it('are the same from snapshots row by row as from whole ones, rows in any order', () => {
    fc.assert(
      fc.property(histories, fc.boolean(), (snapshots, isReversed) => {
        const events: ColumnEvent[] = []
        const reader = new SnapshotReader((event) => events.push(event))
        for (const { at, columns } of snapshots) {
          reader.begin(at)
          const rows = Object.entries(columns)
          for (const [id, column] of isReversed ? rows.reverse() : rows) reader.row(id, column)
          reader.end()
        }
        expect(inOrder(events)).toEqual(inOrder(historyOf(snapshots).events))
      }),
    )
    const reader = new SnapshotReader(() => undefined)
    reader.begin(day(3))
    expect(() => reader.begin(day(3))).toThrow('expected them in order of time')
  })
})
