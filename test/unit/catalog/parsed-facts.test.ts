import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Fact, Provenance } from '../../../src/catalog/fact.js'
import { decodeFacts, decodeHead, encodeFacts, encodeHead, headOfParsed } from '../../../src/catalog/parsing/parsed-facts.js'
import { edgeLabels, nodeKinds, type Properties } from '../../../src/vocabulary.js'

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', '=', 'p/s/table:a.b', 'p/s/', '\u0000', '=p/s/x'))
const provenance: fc.Arbitrary<Provenance> = fc.record({
  dialect: fc.constantFrom('hive-ddl', 'json-table'),
  file: fc.constantFrom('a.sql', 'b.sql'),
  location: text,
})
const properties = fc.dictionary(
  text,
  fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text)),
) as fc.Arbitrary<Properties>
const observedAt = { observedAt: fc.date({ noInvalidDate: true }) }
const kind = fc.constantFrom(...nodeKinds)
const node = fc.record(
  {
    fact: fc.constant('node' as const),
    id: text,
    kind,
    name: text,
    qualifiedName: text,
    properties,
    provenance,
    partial: fc.constant(true as const),
    ...observedAt,
  },
  { requiredKeys: ['fact', 'id', 'kind', 'name', 'qualifiedName', 'properties', 'provenance'] },
)
const edge = fc.record(
  {
    fact: fc.constant('edge' as const),
    sourceId: text,
    label: fc.constantFrom(...edgeLabels),
    targetId: text,
    discriminator: text,
    properties,
    provenance,
    ...observedAt,
  },
  { requiredKeys: ['fact', 'sourceId', 'label', 'targetId', 'properties', 'provenance'] },
)
const removal = fc.record({ fact: fc.constant('removal' as const), id: text, provenance })
const facts = fc.array(fc.oneof(node, edge, removal), { maxLength: 30 }) as fc.Arbitrary<Fact[]>

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

it('facts come back as they were, whatever they say', () => {
  fc.assert(
    fc.property(facts, (said) => {
      const read = [...encodeFacts(said)].flatMap(decodeFacts)
      expect(plain(read)).toEqual(plain(said))
      for (const [i, fact] of said.entries())
        if (fact.fact !== 'removal') expect((read[i] as typeof fact).observedAt?.getTime()).toBe(fact.observedAt?.getTime())
    }),
    { numRuns: 300 },
  )
})

it('many facts are several parts, in order', () => {
  const said = Array.from(
    { length: 12_345 },
    (_, i): Fact => ({ fact: 'removal', id: `p/s/table:d.t${i}`, provenance: { dialect: 'x', file: 'y', location: `${i}` } }),
  )
  const parts = [...encodeFacts(said)]
  expect(parts).toHaveLength(3)
  expect(parts.flatMap(decodeFacts)).toEqual(said)
})

it('so does all else that a text says, with its times', () => {
  fc.assert(
    fc.property(facts, fc.date({ noInvalidDate: true }), (said, at) => {
      const head = headOfParsed({ facts: said, problems: [], moments: [{ observedAt: at, facts: said }] })
      const read = decodeHead(encodeHead(head))
      expect(plain(read)).toEqual(plain(head))
      expect(read.moments![0]!.observedAt).toEqual(at)
    }),
    { numRuns: 50 },
  )
})
