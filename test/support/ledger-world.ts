import fc from 'fast-check'
import type { EdgeFact, Fact, NodeFact } from '../../src/catalog/fact.js'
import type { EdgeLabel, NodeKind, Properties } from '../../src/vocabulary.js'

/** One ingest of a small random world: two systems of project `p`, three tables, a few columns, edges that cross them. */
export interface WorldSnapshot {
  system: 'x' | 'y'
  complete: boolean
  /** 0 … 7, so that several often share a time */
  day: number
  file: 'a' | 'b'
  facts: Fact[]
}

const provenance = { dialect: 'test', file: 'f', location: 'l' }
const tables = { x: ['t', 'u'], y: ['v'] } as const
const columnNames = ['a', 'b', 'c']

export const idOf = (system: string, kind: string, name: string) => `p/${system}/${kind}:${name}`

const node = (system: string, kind: NodeKind, slug: string, name: string, properties: Properties, partial: boolean): NodeFact => ({
  fact: 'node',
  id: idOf(system, slug, name),
  kind,
  name: name.slice(name.lastIndexOf('.') + 1),
  qualifiedName: name,
  properties,
  provenance,
  ...(partial ? { partial: true } : {}),
})
const edge = (sourceId: string, label: EdgeLabel, targetId: string, properties: Properties = {}): EdgeFact => ({
  fact: 'edge',
  sourceId,
  label,
  targetId,
  properties,
  provenance,
})

const types = ['int', 'string', 'date', 'interval']

/** Facts of one table: sometimes only named in part, with some of its columns, and a foreign key that may lead nowhere. */
const tableFacts = (system: 'x' | 'y', table: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({
      partial: fc.boolean(),
      comment: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      columns: fc.subarray(columnNames),
      type: fc.array(fc.constantFrom(...types), { minLength: 3, maxLength: 3 }),
      partialColumn: fc.boolean(),
      reference: fc.option(fc.constantFrom(['x', 't'], ['x', 'u'], ['y', 'v']), { nil: undefined }),
      weight: fc.integer({ min: 1, max: 2 }),
    })
    .map(({ partial, comment, columns, type, partialColumn, reference, weight }) => {
      const id = idOf(system, 'table', table)
      const facts: Fact[] = [node(system, 'Table', 'table', table, comment === undefined ? { fixed: 1 } : { comment, fixed: 1 }, partial)]
      columns.forEach((name, i) => {
        const isPartial = partialColumn && i === 0
        const properties: Properties = isPartial ? { unique: weight } : { data_type: type[i]!, nullable: weight === 1, ordinal: i + 1 }
        facts.push(node(system, 'Column', 'column', `${table}.${name}`, properties, isPartial))
        facts.push(edge(id, 'HAS_COLUMN', idOf(system, 'column', `${table}.${name}`)))
      })
      if (reference)
        facts.push(edge(idOf(system, 'column', `${table}.a`), 'REFERENCES', idOf(reference[0]!, 'column', `${reference[1]}.b`), { weight }))
      return facts
    })

const removal = (system: 'x' | 'y'): fc.Arbitrary<Fact> =>
  fc
    .constantFrom(...tables[system].map((t) => idOf(system, 'table', t)), idOf(system, 'column', `${tables[system][0]}.a`))
    .map((id) => ({ fact: 'removal', id, provenance }))

const snapshotOf = (system: 'x' | 'y'): fc.Arbitrary<WorldSnapshot> =>
  fc
    .record({
      complete: fc.boolean(),
      day: fc.integer({ min: 0, max: 5 }),
      file: fc.constantFrom('a' as const, 'b' as const),
      parts: fc.subarray([...tables[system]]).chain((names) => fc.tuple(...names.map((name) => tableFacts(system, name)))),
      removals: fc.array(removal(system), { maxLength: 1 }),
      removeFirst: fc.boolean(),
    })
    .map(({ complete, day, file, parts, removals, removeFirst }) => ({
      ...{ system, complete, day, file },
      facts: removeFirst ? [...removals, ...parts.flat()] : [...parts.flat(), ...removals],
    }))

/** Histories of a small world, some of whose snapshots say again what another said, with an order of arrival for each. */
export const worlds = fc
  .record({
    told: fc.array(fc.oneof({ weight: 3, arbitrary: snapshotOf('x') }, { weight: 1, arbitrary: snapshotOf('y') }), {
      minLength: 2,
      maxLength: 6,
    }),
    again: fc.array(fc.record({ which: fc.nat(5), day: fc.integer({ min: 0, max: 7 }) }), { maxLength: 3 }),
  })
  .map(({ told, again }) => [...told, ...again.map(({ which, day }) => ({ ...told[which % told.length]!, day }))])
  .chain((snapshots) =>
    fc.record({
      snapshots: fc.constant(snapshots),
      arrival: fc.shuffledSubarray(
        snapshots.map((_, i) => i),
        { minLength: snapshots.length },
      ),
    }),
  )
