import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import { ingestFacts } from '../../../src/catalog/ingest.js'
import { type LineageOptions, readLineage } from '../../../src/catalog/reads/lineage-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { seeded } from '../../../src/util/random.js'
import { freshDatabase } from '../../support/database.js'

const count = 60
const provenance = { dialect: 'test', file: 'flows.sql', location: 'line 1' }
const idOf = (n: number) => `p/s/table:d.t${n}`

interface Flow {
  source: string
  label: 'DATA_FLOW' | 'READS' | 'WRITES' | 'REFERENCES'
  target: string
}

/** Cycles, loops and parallel edges included; a READS edge is walked from its target to its source. */
function flows(seed: number): Flow[] {
  const rng = seeded(seed)
  const labels = ['DATA_FLOW', 'DATA_FLOW', 'READS', 'WRITES', 'REFERENCES'] as const
  const all = Array.from({ length: 110 }, () => ({
    source: idOf(rng.integer(count)),
    label: labels[rng.integer(labels.length)]!,
    target: idOf(rng.integer(count)),
  }))
  return [...new Map(all.map((flow) => [Object.values(flow).join(' '), flow])).values()]
}

const day = (n: number) => new Date(Date.UTC(2025, 0, n))
const estates = [flows(1), flows(2)]
let database: Database

beforeAll(async () => {
  database = (await freshDatabase()).database
  for (const [i, estate] of estates.entries()) {
    const nodes = Array.from({ length: count }, (_, n): Fact => {
      const name = `t${n}`
      return { fact: 'node', id: idOf(n), kind: 'Table', name, qualifiedName: `d.${name}`, properties: {}, provenance }
    })
    const edges = estate.map(
      ({ source, label, target }): Fact => ({ fact: 'edge', sourceId: source, label, targetId: target, properties: {}, provenance }),
    )
    await ingestFacts(database, {
      ...{ projectId: 'p', systemId: 's', complete: true, observedAt: day(i + 1), now: day(i + 1) },
      ...{ facts: [...nodes, ...edges], sources: [{ dialect: 'test', file: 'flows.sql' }] },
    })
  }
})

/** Steps downstream (upstream: turned round), by the meaning of the labels. */
const stepsOf = (estate: readonly Flow[], way: 'upstream' | 'downstream') =>
  estate
    .filter(({ label }) => label !== 'REFERENCES')
    .map((flow) => ({
      flow,
      from: flow.label === 'READS' ? flow.target : flow.source,
      to: flow.label === 'READS' ? flow.source : flow.target,
    }))
    .map(({ flow, from, to }) => (way === 'downstream' ? { flow, from, to } : { flow, from: to, to: from }))

/** Breadth first, as one writes it down. */
function walked(estate: readonly Flow[], start: string, way: 'upstream' | 'downstream', depth: number) {
  const steps = stepsOf(estate, way)
  const distances = new Map([[start, 0]])
  for (let distance = 1; distance <= depth; distance++)
    for (const { from, to } of steps) if (distances.get(from) === distance - 1 && !distances.has(to)) distances.set(to, distance)
  const edges = steps.filter(({ from, to }) => distances.has(from) && distances.has(to))
  return {
    distances,
    edges: edges.map(({ flow }) => flow),
    isPartial: steps.some(({ from, to }) => distances.has(from) && !distances.has(to)),
  }
}

const nameOf = ({ source, label, target }: Flow) => `${source} ${label} ${target}`
const read = async (start: string, options: LineageOptions) => {
  const found = (await readLineage(database, start, options))!
  return {
    distances: Object.fromEntries(found.nodes.map(({ id, distance }) => [id, distance])),
    edges: found.edges.map((e) => nameOf({ source: e.sourceId, label: e.label as Flow['label'], target: e.targetId })).sort(),
    isPartial: found.isPartial,
  }
}

const start = fc.integer({ min: 0, max: count - 1 }).map(idOf)
const way = fc.constantFrom('upstream' as const, 'downstream' as const)
const depth = fc.integer({ min: 1, max: 6 })
const moment = fc.constantFrom(0, 1)
const asOfOf = (estate: number) => (estate === 0 ? { asOf: day(1) } : {})

describe('lineage of random graphs', () => {
  it('is what a walk breadth first finds, now and earlier', async () => {
    await fc.assert(
      fc.asyncProperty(start, way, depth, moment, async (from, direction, most, estate) => {
        const expected = walked(estates[estate]!, from, direction, most)
        expect(await read(from, { direction, depth: most, ...asOfOf(estate) })).toEqual({
          distances: Object.fromEntries(expected.distances),
          edges: expected.edges.map(nameOf).sort(),
          isPartial: expected.isPartial,
        })
      }),
      { numRuns: 60 },
    )
  })

  it('goes both ways as each alone', async () => {
    await fc.assert(
      fc.asyncProperty(start, depth, async (from, most) => {
        const [up, down, both] = [
          await read(from, { direction: 'upstream', depth: most }),
          await read(from, { direction: 'downstream', depth: most }),
          await read(from, { direction: 'both', depth: most }),
        ]
        expect(both.distances).toEqual({ ...down.distances, ...up.distances })
        expect(both.edges).toEqual([...new Set([...up.edges, ...down.edges])].sort())
        expect(both.isPartial).toBe(up.isPartial || down.isPartial)
      }),
      { numRuns: 20 },
    )
  })

  it('keeps to its budget with the nearest nodes, and says that there is more', async () => {
    await fc.assert(
      fc.asyncProperty(start, way, fc.integer({ min: 1, max: 12 }), async (from, direction, nodeBudget) => {
        const whole = walked(estates[1]!, from, direction, 6)
        const found = await read(from, { direction, depth: 6, nodeBudget })
        const isCut = whole.distances.size > nodeBudget + 1
        expect(Object.keys(found.distances)).toHaveLength(isCut ? nodeBudget + 1 : whole.distances.size)
        for (const [id, distance] of Object.entries(found.distances)) expect(distance).toBe(whole.distances.get(id))
        const farthest = Math.max(...Object.values(found.distances))
        for (const [id, distance] of whole.distances) if (!(id in found.distances)) expect(distance).toBeGreaterThanOrEqual(farthest)
        expect(found.isPartial).toBe(isCut || whole.isPartial)
      }),
      { numRuns: 40 },
    )
  })

  it('knows no node that is not there', async () => {
    expect(await readLineage(database, 'p/s/table:d.none', { direction: 'both' })).toBeNull()
    expect(await readLineage(database, idOf(1), { direction: 'both', asOf: new Date(0) })).toBeNull()
  })
})
