import fs from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseSamples, samplesPath } from '../../../src/artifacts/parity/samples.js'
import { promote, rollback } from '../../../src/artifacts/promotion.js'
import { publish } from '../../../src/artifacts/publish.js'
import type { Artifact } from '../../../src/artifacts/store.js'
import { ggnn } from '../../../src/models/ggnn.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { models } from '../../../src/models/registry.js'
import { createTrainer } from '../../../src/models/trainer.js'
import { openServing, type RankedList, type Serving, type ServingOptions } from '../../../src/serving/serving.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { createLogger } from '../../../src/util/log.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy, temporaryBlobs, toyOptions } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const { blobs, folder, remove } = await temporaryBlobs()
afterAll(remove)
const tools = { database, blobs, models, log: createLogger('silent'), threads: 1 }
const lists = toyLists(12, { seed: 9 })

/** Through the graphs of training, not of serving. */
async function trainerScores(seed: number) {
  const trainer = createTrainer({ model: ggnn, options: toyOptions, executor: ortExecutor, seed, threads: 1 })
  const parameters = initializeParameters(ggnn.parameters(toyOptions), seed)
  trainer.restore({ ...trainer.state(), parameters })
  const { scores } = await trainer.evaluate(ggnn.encode(lists, toyOptions).batch)
  await trainer.close()
  return scores
}

const samplesOf = async ({ manifest }: Artifact) =>
  parseSamples(await blobs.get(manifest.files.find((f) => f.path === samplesPath)!.sha256)).graphs

describe('serving', () => {
  let [a, b]: Artifact[] = []
  let serving: Serving
  const open = async (options: ServingOptions = {}) => (serving = await openServing(tools, options))
  beforeAll(async () => {
    a = await publishToy(tools, { version: 'a', seed: 1 })
    b = await publishToy(tools, { version: 'b', seed: 2 })
    await promote(database, 'production', a.id, { now: new Date() })
    await promote(database, 'staging', b.id, { now: new Date() })
  })
  afterEach(() => serving.close())

  it('ranks as the trainer scores, best first, and says who ranked', async () => {
    await open()
    const expected = await trainerScores(1)
    const ranked = await serving.rank(lists)
    expect(ranked.map((r) => r.queryId)).toEqual(lists.map((l) => l.queryId))
    for (const [i, { candidates, artifactId, version }] of ranked.entries()) {
      expect({ artifactId, version }).toEqual({ artifactId: a!.id, version: 'a' })
      expect(candidates.map((c) => c.score)).toEqual([...candidates.map((c) => c.score)].sort((x, y) => y - x))
      for (const { index, id, score } of candidates) {
        expect(id).toBe(lists[i]!.candidates[index]!.id)
        expect(Math.abs(score - expected[i]![index]!)).toBeLessThanOrEqual(1e-5)
      }
    }
    expect(await serving.featureSpec()).toEqual({ nameBuckets: 2 })
  })

  it('needs no labels, and answers the same alone and in company', async () => {
    await open({ cacheEntries: 0 })
    const bare = lists.map((l) => ({ ...l, candidates: l.candidates.map(({ label: _, ...c }) => c) }))
    const together = await serving.rank(bare)
    for (const [i, list] of bare.entries()) {
      const [alone] = await serving.rank([list])
      expect(alone!.candidates.map((c) => c.index)).toEqual(together[i]!.candidates.map((c) => c.index))
      for (const [j, c] of alone!.candidates.entries())
        expect(Math.abs(c.score - together[i]!.candidates[j]!.score)).toBeLessThanOrEqual(1e-5)
    }
  })

  it('answers again from the cache, per artifact', async () => {
    await open()
    const first = await serving.rank(lists)
    expect(serving.statistics().cache).toEqual({ entries: 12, hits: 0, misses: 12 })
    expect(await serving.rank(lists)).toEqual(first)
    expect(serving.statistics().cache).toEqual({ entries: 12, hits: 12, misses: 12 })
    const staged = await serving.rank(lists, { alias: 'staging' })
    expect(staged[0]!.artifactId).toBe(b!.id)
    expect(serving.statistics().cache.hits).toBe(12)
    expect(serving.statistics()).toMatchObject({ pending: 0, latency: { count: 3, p50: expect.any(Number), p99: expect.any(Number) } })
  })

  it('swaps under load without a failed or a mixed-up request', async () => {
    await open({ cacheEntries: 0, maxAgeMs: 0 })
    const expected = { [a!.id]: await trainerScores(1), [b!.id]: await trainerScores(2) }
    const seen = new Map<string, number>()
    let isDone = false
    const ask = async (i: number) => {
      while (!isDone) {
        const [ranked] = await serving.rank([lists[i]!])
        seen.set(ranked!.artifactId, (seen.get(ranked!.artifactId) ?? 0) + 1)
        for (const { index, score } of ranked!.candidates)
          expect(Math.abs(score - expected[ranked!.artifactId]![i]![index]!)).toBeLessThanOrEqual(1e-5)
      }
    }
    const clients = lists.map((_, i) => ask(i))
    const answersOf = async (id: string) => {
      const before = seen.get(id) ?? 0
      while ((seen.get(id) ?? 0) < before + 20) await new Promise((resolve) => setImmediate(resolve))
    }
    await answersOf(a!.id)
    for (let round = 0; round < 3; round++) {
      await promote(database, 'production', b!.id, { now: new Date() })
      await answersOf(b!.id)
      await rollback(database, 'ranker', 'production', { now: new Date() })
      await answersOf(a!.id)
    }
    isDone = true
    await Promise.all(clients)
    expect([...seen.keys()].sort()).toEqual([a!.id, b!.id])
    expect(serving.statistics().artifacts).toEqual([{ artifactId: a!.id, aliases: ['ranker production'] }])
  })

  it('keeps one session for two aliases of one artifact', async () => {
    await promote(database, 'staging', a!.id, { now: new Date() })
    await open()
    await Promise.all([serving.rank(lists), serving.rank(lists, { alias: 'staging' })])
    expect(serving.statistics().artifacts).toEqual([{ artifactId: a!.id, aliases: ['ranker production', 'ranker staging'] }])
    await rollback(database, 'ranker', 'staging', { now: new Date() })
    expect((await serving.rank(lists))[0]!.artifactId).toBe(a!.id)
  })

  it('says what is overloaded, unknown or wrong, and whose list it is', async () => {
    await open({ maxQueue: 4, maxItems: 2, maxAgeMs: 0 })
    await expect(serving.rank(lists)).rejects.toMatchObject({ code: 'OVERLOADED' })
    await expect(serving.rank(lists, { component: 'nothing' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const wrong = { ...lists[0]!, queryId: 'wrong', candidates: [{ nodeFeatures: [[1, 2]], edges: [] }] }
    const [good, bad] = await Promise.allSettled([serving.rank([lists[1]!]), serving.rank([wrong])])
    expect(good).toMatchObject({ status: 'fulfilled' })
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'BAD_INPUT', message: expect.stringContaining('wrong') } })
    expect(await serving.rank([])).toEqual([])
    expect(await serving.rank([{ queryId: 'empty', candidates: [] }])).toMatchObject([{ queryId: 'empty', candidates: [] }])
  })

  it('never serves a file that was changed; the old artifact goes on', async () => {
    await open({ cacheEntries: 0 })
    await serving.rank(lists)
    const c = await publishToy(tools, { version: 'c', seed: 3 })
    const onnx = c.manifest.files.find((f) => f.path === 'ggnn.onnx')!
    const file = path.join(folder, onnx.sha256.slice(0, 2), onnx.sha256)
    const bytes = await fs.readFile(file)
    bytes[bytes.length >> 1]! ^= 4
    await fs.writeFile(file, bytes)
    await promote(database, 'staging', c.id, { now: new Date() })
    await expect(serving.rank(lists, { alias: 'staging' })).rejects.toMatchObject({ code: 'CORRUPT' })
    await promote(database, 'production', c.id, { now: new Date() })
    // another connection hears of the move at least once before the alias is asked again
    await promote(database, 'latest', b!.id, { now: new Date() })
    expect((await serving.rank(lists, { alias: 'latest' }))[0]!.artifactId).toBe(b!.id)
    expect((await serving.rank(lists))[0]!.artifactId).toBe(a!.id)
    // once the file is whole again, the next move brings it in
    bytes[bytes.length >> 1]! ^= 4
    await fs.writeFile(file, bytes)
    expect((await serving.rank(lists, { alias: 'staging' }))[0]!.artifactId).toBe(c.id)
    await rollback(database, 'ranker', 'production', { now: new Date() })
  })

  it('answers in int8 where it is asked for and there is one, else in fp32, and says which; each has its own cache', async () => {
    await open()
    const exact = await serving.rank(lists)
    const rounded = await serving.rank(lists, { precision: 'int8' })
    expect([exact[0]!.precision, rounded[0]!.precision]).toEqual(['fp32', 'int8'])
    expect(serving.statistics().cache).toEqual({ entries: 24, hits: 0, misses: 24 })
    const scores = (ranked: RankedList[]) => ranked.flatMap((r) => [...r.candidates].sort((x, y) => x.index - y.index).map((c) => c.score))
    const [a8, a32] = [scores(rounded), scores(exact)]
    expect(a8).not.toEqual(a32)
    const { tolerance } = (await samplesOf(a!)).find((g) => g.path === 'ggnn.int8.onnx')!
    for (const [i, score] of a8.entries()) expect(Math.abs(score - a32[i]!)).toBeLessThan(10 * tolerance)

    const plain = await publishToy(tools, { version: 'plain', seed: 1, int8: { mode: 'off' } })
    await promote(database, 'staging', plain.id, { now: new Date() })
    expect((await serving.rank(lists, { alias: 'staging', precision: 'int8' }))[0]).toMatchObject({ precision: 'fp32', version: 'plain' })
    await serving.close()
    await open({ precision: 'int8' })
    expect((await serving.rank(lists))[0]!.precision).toBe('int8')
    expect((await serving.rank(lists, { precision: 'fp32' }))[0]!.candidates).toEqual(exact[0]!.candidates)
  })

  it('takes large graphs through the sparse file, with the scores of the dense one', async () => {
    await open({ cacheEntries: 0 })
    const large = toyLists(2, { seed: 3, candidates: 2, nodes: [300, 400] })
    // a hub: more neighbours than most groups hold
    const hub = { ...large[0]!.candidates[0]!, edges: Array.from({ length: 250 }, (_, v) => [v + 1, 0] as const) }
    const asked = [{ ...large[0]!, candidates: [hub, ...large[0]!.candidates] }, large[1]!]
    expect(ggnn.encode(asked, toyOptions).batch.layout).toMatch(/^sparse/)
    const ranked = await serving.rank(asked)
    const trainer = createTrainer({ model: ggnn, options: { ...toyOptions, layout: 'dense' }, executor: ortExecutor, seed: 1, threads: 1 })
    trainer.restore({ ...trainer.state(), parameters: initializeParameters(ggnn.parameters(toyOptions), 1) })
    const { scores } = await trainer.evaluate(ggnn.encode(asked, { ...toyOptions, layout: 'dense' }).batch)
    await trainer.close()
    for (const [i, { candidates, artifactId }] of ranked.entries()) {
      expect(artifactId).toBe(a!.id)
      for (const { index, score } of candidates)
        expect(Math.abs(score - scores[i]![index]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(score)))
    }
  })

  it('does not rank with a model that answers other questions', async () => {
    await open()
    const model = models['ggnn-node']!
    const modelOptions = model.options.parse({ features: 4, hidden: 8, steps: 1 })
    const validation = toyLists(4).map(({ candidates: [first] }, i) => ({ ...first!, id: `g${i}`, target: 0 }))
    const parameters = initializeParameters(model.parameters(modelOptions), 1)
    const request = {
      component: 'chooser',
      version: '1',
      model,
      modelOptions,
      parameters,
      metrics: {},
      gates: [],
      validation,
      now: new Date(),
    }
    await publish({ database, blobs, executor: ortExecutor }, request)
    const attempt = serving.rank(lists, { component: 'chooser', alias: 'latest' })
    await expect(attempt).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('"node"') })
  })

  it('refuses after it was closed', async () => {
    await open()
    await serving.rank(lists)
    await serving.close()
    await expect(serving.rank(lists)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
