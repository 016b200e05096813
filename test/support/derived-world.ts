import fc from 'fast-check'
import type { EdgeFact, Fact, NodeFact } from '../../src/catalog/fact.js'
import type { EdgeLabel, NodeKind, Properties } from '../../src/vocabulary.js'
import type { WorldSnapshot } from './ledger-world.js'

/**
 * Small random worlds in which much follows from several texts together: views of `*` over tables and over each other, columns of one of
 * several tables, tables by their names, INSERTs by position, and jobs that wait for each other's conditions.
 */

const provenance = { dialect: 'test', file: 'f', location: 'l' }
type System = 'x' | 'y'
export const idOf = (system: System, slug: string, name: string) => `p/${system}/${slug}:${name}`

const slugs: Partial<Record<NodeKind, string>> = {
  Table: 'table',
  View: 'view',
  Column: 'column',
  ControlMJob: 'controlm-job',
  ControlMCondition: 'controlm-condition',
  SqlQuery: 'query',
}
const node = (system: System, kind: NodeKind, name: string, properties: Properties = {}): NodeFact => ({
  ...{ fact: 'node', id: idOf(system, slugs[kind]!, name), kind, name: name.slice(name.lastIndexOf('.') + 1), qualifiedName: name },
  ...{ properties, provenance },
})
const edge = (sourceId: string, label: EdgeLabel, targetId: string, properties: Properties = {}, discriminator = ''): EdgeFact => ({
  ...{ fact: 'edge', sourceId, label, targetId, properties, provenance },
  ...(discriminator === '' ? {} : { discriminator }),
})

/** A table or view with columns, in order. */
const relation = (system: System, kind: 'Table' | 'View', name: string, columns: readonly string[], type: string): Fact[] => {
  const id = idOf(system, slugs[kind]!, name)
  return [
    node(system, kind, name),
    ...columns.flatMap((column, i) => [
      node(system, 'Column', `${name}.${column}`, { data_type: type, ordinal: i + 1 }),
      edge(id, 'HAS_COLUMN', idOf(system, 'column', `${name}.${column}`)),
    ]),
  ]
}

const columnNames = ['a', 'b', 'c']
const tableNames = { x: ['d.t', 'd.u'], y: ['d.t', 'e.t'] } as const
const someColumns = fc.shuffledSubarray(columnNames)

const table = (system: System) =>
  fc
    .record({ name: fc.constantFrom(...tableNames[system]), columns: someColumns, type: fc.constantFrom('int', 'string') })
    .map(({ name, columns, type }) => relation(system, 'Table', name, columns, type))

/** `CREATE VIEW v AS SELECT *[, own] FROM …`; the views may read each other, even in a ring. */
const starView = (system: System) =>
  fc
    .record({
      view: fc.constantFrom('d.v', 'd.w'),
      candidates: fc.subarray(['d.t', 'd.u', 'd.v', 'd.w'], { minLength: 1, maxLength: 2 }),
      own: fc.subarray(['a', 'z'], { maxLength: 1 }),
    })
    .map(({ view, candidates, own }) => [
      ...relation(system, 'View', view, own, 'date'),
      edge('', 'DATA_FLOW', idOf(system, 'view', view), {
        how: 'copy',
        unresolved: { star: true, candidates: candidates.map((c) => idOf(system, 'table', c)) },
      }),
    ])

/** A column that one of several tables has flows into a known one, or into the first of a table that is known by its name. */
const openColumn = (system: System) =>
  fc
    .record({
      column: fc.constantFrom('a', 'b'),
      candidates: fc.constantFrom(['d.t', 'd.u'], ['d.t'], ['d.v', 'd.u']),
      into: fc.constantFrom('known', 'named', 'place'),
      name: fc.constantFrom('t', 'd.t', 'd.w', 'nowhere'),
    })
    .map(({ column, candidates, into, name }) => {
      const unresolved = { column, candidates: candidates.map((c) => idOf(system, 'table', c)) }
      if (into === 'known')
        return [
          ...relation(system, 'Table', 'd.sink', ['k'], 'int'),
          edge('', 'DATA_FLOW', idOf(system, 'column', 'd.sink.k'), { how: 'copy', unresolved }),
        ]
      const target: Properties = into === 'named' ? { table_name: name, column: 'b' } : { table_name: name, position: 0, except: ['a'] }
      return [edge('', 'DATA_FLOW', '', { how: 'copy', unresolved, unresolved_target: target })]
    })

const reader = (system: System) =>
  fc
    .record({ name: fc.constantFrom('t', 'd.t', 'd.v'), label: fc.constantFrom('READS' as const, 'WRITES' as const) })
    .map(({ name, label }) => [
      node(system, 'SqlQuery', 'q'),
      edge(idOf(system, 'query', 'q'), label, '', { unresolved: { table_name: name } }),
    ])

const jobNames = ['J1', 'J2', 'J3']
const job = (system: System) =>
  fc
    .record({
      name: fc.constantFrom(...jobNames),
      waits: fc.uniqueArray(fc.record({ condition: fc.constantFrom('c', 'd'), odate: fc.constantFrom('run-date', 'previous') }), {
        maxLength: 2,
        selector: (w) => `${w.condition} ${w.odate}`,
      }),
      sets: fc.subarray(['c', 'd']),
      stated: fc.option(fc.constantFrom(...jobNames), { freq: 6, nil: undefined }),
    })
    .map(({ name, waits, sets, stated }) => {
      const id = idOf(system, 'controlm-job', name)
      const condition = (c: string) => idOf(system, 'controlm-condition', c)
      return [
        node(system, 'ControlMJob', name),
        ...[...new Set([...waits.map((w) => w.condition), ...sets])].map((c) => node(system, 'ControlMCondition', c)),
        ...waits.map((w) => edge(condition(w.condition), 'BLOCKS', id, { odate: w.odate }, w.odate === 'run-date' ? '' : w.odate)),
        ...sets.map((c) => edge(id, 'RELEASES', condition(c), { sign: '+', odate: 'run-date' })),
        // as an import from elsewhere may do
        ...(stated && stated !== name ? [edge(id, 'DEPENDS_ON', idOf(system, 'controlm-job', stated), { conditions: ['said'] })] : []),
      ]
    })

const removal = (system: System): fc.Arbitrary<Fact[]> =>
  fc
    .constantFrom(
      idOf(system, 'table', 'd.t'),
      idOf(system, 'view', 'd.v'),
      idOf(system, 'column', 'd.t.a'),
      idOf(system, 'controlm-job', 'J1'),
    )
    .map((id) => [{ fact: 'removal', id, provenance }])

const snapshotOf = (system: System): fc.Arbitrary<WorldSnapshot> =>
  fc
    .record({
      complete: fc.boolean(),
      day: fc.integer({ min: 0, max: 5 }),
      file: fc.constantFrom('a' as const, 'b' as const),
      parts: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: table(system) },
          { weight: 3, arbitrary: starView(system) },
          { weight: 2, arbitrary: openColumn(system) },
          { weight: 1, arbitrary: reader(system) },
          { weight: 3, arbitrary: job(system) },
          { weight: 1, arbitrary: removal(system) },
        ),
        { minLength: 1, maxLength: 4 },
      ),
    })
    .map(({ complete, day, file, parts }) => ({ system, complete, day, file, facts: parts.flat() }))

/** Histories with an order of arrival for each, and a choice of them to be deleted. */
export const derivedWorlds = fc
  .array(fc.oneof({ weight: 3, arbitrary: snapshotOf('x') }, { weight: 1, arbitrary: snapshotOf('y') }), { minLength: 2, maxLength: 6 })
  .chain((snapshots) => {
    const indices = snapshots.map((_, i) => i)
    return fc.record({
      snapshots: fc.constant(snapshots),
      arrival: fc.shuffledSubarray(indices, { minLength: snapshots.length }),
      gone: fc.shuffledSubarray(indices, { minLength: 1 }),
    })
  })
