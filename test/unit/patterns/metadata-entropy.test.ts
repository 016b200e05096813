import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EntropyPoint, learnMetadataEntropy, summarizeMetadataEntropy } from '../../../src/patterns/metadata-entropy.js'

const point = (n: number, name: string, value: number, nodeId = 'p'): EntropyPoint => ({
  nodeId,
  name,
  at: new Date(Date.UTC(2024, 0, 1 + n)),
  value,
})

describe('metadata entropy', () => {
  it('tells level, trend on real time, breaks, and what goes with what', () => {
    // one unit in ten days, seen at uneven times
    const days = [0, 1, 2, 30, 60, 61, 100, 140]
    const points = days.flatMap((d) => [
      point(d, 'metadata_entropy', d / 10),
      point(d, 'kl_divergence', 20 - d / 5),
      point(d, 'column_count', 7),
    ])
    const [node] = summarizeMetadataEntropy(learnMetadataEntropy(points)).nodes
    expect(node!.metrics.metadata_entropy!.trend).toMatchObject({ perDay: expect.closeTo(0.1, 12), direction: 'increasing' })
    expect(node!.metrics.column_count).toMatchObject({ n: 8, mean: 7, stdev: 0, trend: { perDay: 0, direction: 'none' }, changePoints: [] })
    expect(node!.entropyKlCorrelation.value).toBeCloseTo(-1, 12)
    const jump = Array.from({ length: 20 }, (_, i) => point(i, 'metadata_entropy', (i < 12 ? 1 : 2) + ((i * 7) % 5) / 50))
    expect(summarizeMetadataEntropy(learnMetadataEntropy(jump)).nodes[0]!.metrics.metadata_entropy!.changePoints.map((c) => c.at)).toEqual([
      '2024-01-13T00:00:00.000Z',
    ])
  })

  it('has no correlation, and says why, where there is none', () => {
    const [node] = summarizeMetadataEntropy(learnMetadataEntropy([point(0, 'metadata_entropy', 1)])).nodes
    expect(node!.entropyKlCorrelation).toEqual({ value: null, n: 0, reason: '0 pairs of values: at least 3 are needed' })
    expect(summarizeMetadataEntropy(learnMetadataEntropy([]))).toMatchObject({ nodes: [], points: 0 })
  })

  it('is the same in parts, at once and shuffled, without NaN', () => {
    const name = fc.constantFrom('metadata_entropy', 'kl_divergence', 'column_count', 'other')
    const points = fc.array(
      fc
        .tuple(fc.nat(30), name, fc.double({ min: -5, max: 5 }), fc.constantFrom('p', '__proto__'))
        .map(([d, m, v, id]) => point(d, m, v, id)),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(points, fc.nat(40), (list, cut) => {
        const once = learnMetadataEntropy(list)
        expect(learnMetadataEntropy(list.slice(0, cut), learnMetadataEntropy(list.slice(cut)))).toEqual(once)
        expect(JSON.stringify(summarizeMetadataEntropy(once))).not.toMatch(/NaN|Infinity/)
        expect(summarizeMetadataEntropy(learnMetadataEntropy([...list].reverse()))).toEqual(summarizeMetadataEntropy(once))
      }),
    )
  })
})
