import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NoBatch, parseBatch, printBatch, timeOfFileName } from '../../../../src/catalog/glean/batch-file.js'
import { decodeEdge, decodeManifest, decodeNode, kindOf, momentOf, spellingsOf } from '../../../../src/catalog/glean/decode.js'
import { decimalText, encodeEdge, encodeNode, millionths } from '../../../../src/catalog/glean/encode.js'
import type { RawKey } from '../../../../src/catalog/glean/predicates.js'
import { canonicalJson } from '../../../../src/util/hash.js'
import { canonicalTypes, nodeKinds, type Properties } from '../../../../src/vocabulary.js'
import { batchText, columnFact, day, fileName, manifestFact, stamp } from './facts.js'

const raw = (key: object): RawKey => JSON.parse(JSON.stringify(key)) as RawKey
const properties = fc.dictionary(
  fc.oneof(
    fc.string(),
    fc.constantFrom('espalier:qualified_name', 'espalier:discriminator', 'espalier:property:x', 'espalier:', '__proto__', 'toString'),
  ),
  fc.jsonValue(),
) as fc.Arbitrary<Properties>

describe('keys', () => {
  it('carry a node there and back, whatever its properties are called', () => {
    fc.assert(
      fc.property(properties, fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (own, name, qualifiedName) => {
        const node = { id: 'p/s/table:core.t', kind: 'Table' as const, name, qualifiedName, projectId: 'p', systemId: 's', properties: own }
        const back = decodeNode(raw(encodeNode(node, stamp(day(1), 's', 'p'))))!
        expect([back.id, back.label, back.projectId, back.systemId, back.exportedAt]).toEqual([node.id, name, 'p', 's', day(1)])
        expect(back.qualifiedName ?? 'core.t').toBe(qualifiedName)
        expect(canonicalJson(back.properties)).toBe(canonicalJson(own))
      }),
    )
  })

  it('carry an edge with its discriminator, and read both names of its ends', () => {
    const edge = {
      sourceId: 'p/s/table:a',
      label: 'READS' as const,
      targetId: 'p/s/table:b',
      discriminator: 'x"y',
      projectId: 'p',
      systemId: 's',
      properties: { weight: 0.1 },
    }
    const key = encodeEdge(edge, stamp(day(1)))
    const { source, target, ...rest } = key
    for (const read of [decodeEdge(raw(key)), decodeEdge({ ...rest, source_id: source, target_id: target })])
      expect(read).toMatchObject({
        sourceId: edge.sourceId,
        targetId: edge.targetId,
        label: 'READS',
        discriminator: 'x"y',
        properties: { weight: 0.1 },
      })
    expect(decodeEdge({ label: 'READS', source })).toBeNull()
    expect(decodeNode({ id: 'x' })).toBeNull()
  })

  it('carry a manifest, and read what others write', () => {
    const key = raw(manifestFact({ entropy: 1.25, kl: 1e-9, columns: 7, observedAt: day(1) }, stamp(day(2))).key)
    const manifest = decodeManifest(key)
    expect(manifest).toMatchObject({
      metadataEntropy: 1.25,
      klDivergence: 1e-9,
      columnCount: 7,
      exportedAt: day(2),
      metricsCalculatedAt: day(1),
    })
    expect(manifest.actualDistribution).toEqual({ string: 0.5, number: 0.5, boolean: 0, date: 0, array: 0, object: 0 })
    expect(momentOf(manifest)).toEqual(day(1))
    const theirs = decodeManifest({
      exported_at: '2024-01-02T03:04:05.000006',
      metadata_entropy: 1.5,
      kl_divergence: 'n/a',
      actual_distribution: '{"string": 0.25}',
    })
    expect(theirs).toMatchObject({ metadataEntropy: 1.5, klDivergence: null, columnCount: null, actualDistribution: { string: 0.25 } })
    expect(momentOf(theirs)).toEqual(new Date('2024-01-02T03:04:05.000Z'))
    expect(decodeManifest({ exported_at_epoch: 1_704_164_645 }).exportedAt).toEqual(new Date(1_704_164_645_000))
    expect(decodeManifest({ exported_at_epoch: 1_704_164_645_123 }).exportedAt).toEqual(new Date(1_704_164_645_123))
  })

  it('keep properties_json that is no object', () => {
    expect(decodeNode({ id: 'x', kind: 'table', properties_json: 'oops' })!.properties).toEqual({ properties_json: 'oops' })
    expect(decodeNode({ id: 'x', kind: 'table', properties_json: { a: 1 } })!.properties).toEqual({ a: 1 })
    expect(decodeNode({ id: 'x', kind: 'table' })).toMatchObject({ properties: {}, label: 'x' })
  })
})

describe('numbers on the way', () => {
  it('are plain decimals that read back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimalText(value)
        expect(text).toMatch(/^-?\d+(\.\d+)?$/)
        expect(Number(text)).toBe(value === 0 ? 0 : value)
      }),
    )
    expect([decimalText(1e-7), decimalText(1.5e21), decimalText(-2.5e-8)]).toEqual(['0.0000001', '1500000000000000000000', '-0.000000025'])
    expect(() => decimalText(Number.NaN)).toThrow()
  })

  it('shares sum to a million, each within one of what it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }), (counts) => {
        const total = counts.reduce((a, b) => a + b, 0)
        const distribution = Object.fromEntries(canonicalTypes.map((type, i) => [type, total ? counts[i]! / total : 0])) as never
        const shares = millionths(distribution)
        expect(shares.reduce((sum, { ppm }) => sum + ppm, 0)).toBe(total ? 1e6 : 0)
        for (const [i, { ppm }] of shares.entries()) expect(Math.abs(ppm - (total ? (counts[i]! / total) * 1e6 : 0))).toBeLessThan(1.0001)
      }),
    )
  })
})

describe('batch files', () => {
  it('hold groups in order', async () => {
    const text = await batchText([
      manifestFact({ entropy: 1, kl: 0, columns: 1 }, stamp(day(1))),
      columnFact('a', 'int', stamp(day(1))),
      columnFact('b', 'int', stamp(day(1))),
    ])
    expect(parseBatch(text).map(({ name, keys }) => [name, keys.length])).toEqual([
      ['agenticAiETH.ETL.ExportManifest.1', 1],
      ['agenticAiETH.ETL.Node.1', 2],
    ])
    expect(parseBatch(await batchText([]))).toEqual([])
    await expect(printBatch([], 'no good').next()).resolves.toEqual({ done: false, value: '[\n' })
  })

  it('say what is wrong with them', () => {
    for (const [text, said] of [
      ['[', /not JSON/],
      ['{}', /JSON array/],
      ['[1]', /element 0/],
      ['[{"predicate": "a.Node.1", "facts": [{"id": 1}]}]', /fact 0 of element 0 \(a.Node.1\) has no key/],
    ] as const) {
      expect(() => parseBatch(text)).toThrow(NoBatch)
      expect(() => parseBatch(text)).toThrow(said)
    }
  })

  it('tell their time by their name', () => {
    expect(fileName(day(31, 23))).toBe('graph_20240131T230000Z_abc123.json')
    expect(timeOfFileName(fileName(day(31, 23)))).toBe(day(31, 23).getTime() / 1000)
    expect(timeOfFileName('graph_latest.json')).toBeNull()
  })
})

describe('kinds', () => {
  it('are read in every spelling', () => {
    for (const kind of nodeKinds)
      for (const spelling of [kind, kind.toUpperCase(), ...spellingsOf(kind)]) expect(kindOf(spelling)).toBe(kind)
    expect(kindOf('control-m-job')).toBe('ControlMJob')
    expect(kindOf('widget')).toBeNull()
    expect(spellingsOf('Column')).toEqual(['Column', 'column'])
  })
})
