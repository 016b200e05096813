import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appendEvents } from '../../../src/runs/event-store.js'
import { comparedSeries, latestMetrics, latestMetricsOf, type MetricBucket, metricSeries } from '../../../src/runs/metric-store.js'
import { createRun, transition } from '../../../src/runs/store.js'
import { freshDatabase } from '../../support/database.js'

const { database } = await freshDatabase()
type Point = [name: string, step: number, value: number]
async function runWith(points: readonly Point[]): Promise<string> {
  const { id } = await createRun(database, { kind: 'train-ggnn', options: {} })
  await transition(database, id, 'running')
  await appendEvents(
    database,
    id,
    1,
    points.map(([name, step, value], i) => ({ sequence: i + 2, body: { type: 'metric', name, step, value } })),
  )
  return id
}

describe('latestMetrics', () => {
  it('is the value recorded last of each name', async () => {
    const id = await runWith([
      ['loss', 1, 3],
      ['accuracy', 1, 0.1],
      ['loss', 2, Number.NaN],
      ['zeta', 9, Number.POSITIVE_INFINITY],
      ['accuracy', 0, 0.2],
    ])
    expect((await latestMetrics(database, id)).map(({ name, step, value }) => [name, step, value])).toEqual([
      ['accuracy', 0, 0.2],
      ['loss', 2, Number.NaN],
      ['zeta', 9, Number.POSITIVE_INFINITY],
    ])
  })
  it('reads many runs at once, those without metrics too', async () => {
    const [a, b] = [await runWith([['loss', 1, 1]]), await runWith([])]
    const latest = await latestMetricsOf(database, [a, b])
    expect([latest.get(a)!.length, latest.get(b)!.length]).toEqual([1, 0])
  })
})

/** The specification in plain JavaScript: what each bucket must say. */
function bucketsOf(points: readonly Point[], count: number): MetricBucket[] {
  const steps = points.map(([, step]) => step)
  const low = Math.min(...steps)
  const width = Math.max(Math.max(...steps) - low + 1, count)
  const groups = new Map<number, Point[]>()
  for (const point of points) {
    const bucket = Math.floor(((point[1] - low) * count) / width)
    groups.set(bucket, [...(groups.get(bucket) ?? []), point])
  }
  return [...groups.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, group]) => {
      const finite = group.map(([, , value]) => value).filter(Number.isFinite)
      const inside = group.map(([, step]) => step)
      const last = group.at(-1)!
      return {
        index,
        fromStep: Math.min(...inside),
        toStep: Math.max(...inside),
        count: group.length,
        min: finite.length ? Math.min(...finite) : null,
        max: finite.length ? Math.max(...finite) : null,
        last: last[2],
        lastStep: last[1],
        notFinite: group.length - finite.length,
      }
    })
}

describe('metricSeries', () => {
  const value = fc.oneof(
    fc.integer({ min: -1_000, max: 1_000 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  )
  it('agrees with the plain computation for any points and any number of buckets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constant('loss'), fc.nat(300), value), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 50 }),
        async (points, buckets) => {
          const id = await runWith(points)
          expect(await metricSeries(database, id, 'loss', { buckets })).toEqual(bucketsOf(points, buckets))
        },
      ),
      { numRuns: 40 },
    )
  })
  it('lays curves of different lengths over one grid', async () => {
    const [long, short, none] = [
      await runWith(Array.from({ length: 100 }, (_, i): Point => ['loss', i, i])),
      await runWith(Array.from({ length: 10 }, (_, i): Point => ['loss', 40 + i, -i])),
      await runWith([['other', 1, 1]]),
    ]
    const [a, b, c] = await comparedSeries(database, [long, short, none], 'loss', 20)
    expect(a!.map(({ index, fromStep, toStep }) => [index, fromStep, toStep])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i, 5 * i, 5 * i + 4]),
    )
    expect(b!.map(({ index, fromStep, toStep, last }) => [index, fromStep, toStep, last])).toEqual([
      [8, 40, 44, -4],
      [9, 45, 49, -9],
    ])
    expect(c).toEqual([])
    expect(await comparedSeries(database, [long, short], 'lost')).toEqual([[], []])
  })
  it('takes a range of steps, and knows an unknown name', async () => {
    const id = await runWith(Array.from({ length: 100 }, (_, i): Point => ['loss', i, i]))
    const series = await metricSeries(database, id, 'loss', { fromStep: 10, toStep: 19, buckets: 5 })
    expect(series.map(({ fromStep, toStep }) => [fromStep, toStep])).toEqual([10, 12, 14, 16, 18].map((step) => [step, step + 1]))
    expect(await metricSeries(database, id, 'lost')).toEqual([])
  })
  it('draws many points in one query, and finds the last of a rare metric among them', async () => {
    const id = await runWith([['rare', 7, 1]])
    await database.query(
      `INSERT INTO run_event (run_id, sequence, attempt, type, name, step, value)
       SELECT $1, 2 + i, 1, 'metric', 'loss', i, sin(i / 1e4) FROM generate_series(1, 300000) i`,
      [id],
    )
    await database.query('ANALYZE run_event')
    const series = await metricSeries(database, id, 'loss')
    expect(series).toHaveLength(500)
    expect(series.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(300_000)
    expect(series.at(-1)).toMatchObject({ lastStep: 300_000 })
    expect(await latestMetrics(database, id)).toMatchObject([
      { name: 'loss', step: 300_000 },
      { name: 'rare', step: 7 },
    ])
  })
})
