import fs from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import { closeGraph } from '../../../src/tensor/graph.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { float32, int32, type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import { seeded } from '../../../src/util/random.js'
import { namedCases } from './op-cases.js'
import { drawFeeds, graphsOf, runCase, toleranceOf, worstDifference } from './op-run.js'

interface Frozen {
  dims: number[]
  data: number[]
}
type Oracle = Record<string, { inputs: Frozen[]; weights: Frozen; result: Frozen; gradients: Frozen[] }>

/** Made by fixtures/ops-torch.py. */
const oracle = JSON.parse(fs.readFileSync(`${import.meta.dirname}/fixtures/ops-torch.json`, 'utf8')) as Oracle

/** PyTorch's numbers are double: an executor in float32 is off by its own rounding, twice that of two executors beside each other. */
const againstTorch = { float64: 1e-9, float32: 2e-5 }

export interface ExecutorTraits {
  name: string
  /** float64 graphs run too */
  doubles: boolean
}

const settled = async (work: Promise<unknown>) => (await Promise.allSettled([work]))[0]!.status

/** What every adapter of the TensorExecutor port holds to. Registers suites; `open` is called once. */
export function describeExecutor(traits: ExecutorTraits, open: () => Promise<TensorExecutor>): void {
  let executor: TensorExecutor
  beforeAll(async () => {
    executor = await open()
  }, 60_000)

  describe('every op, forward and backward', () => {
    it('has frozen numbers of PyTorch for every case (fixtures/ops-torch.py)', () => {
      expect(Object.keys(oracle)).toEqual(namedCases.map((c) => c.name))
    })
    const floats = traits.doubles ? (['float64', 'float32'] as const) : (['float32'] as const)
    for (const { name, case: c } of namedCases)
      it(`${name} as PyTorch and onnxruntime have it`, async () => {
        const frozen = oracle[name]!
        expect(frozen.inputs.map((x) => x.dims)).toEqual(c.shapes)
        for (const float of floats) {
          if (float === 'float64' && c.float === 'float32') continue
          const feeds: NamedTensors = { ...c.extra, weights: tensor(float, frozen.weights.dims, frozen.weights.data) }
          frozen.inputs.forEach((x, i) => {
            feeds[`x${i}`] = tensor(float, x.dims, x.data)
          })
          const mine = await runCase(executor, c, float, feeds)
          expect(worstDifference(mine['result']!, frozen.result.data), `${float} result`).toBeLessThan(againstTorch[float])
          for (const [i, g] of frozen.gradients.entries())
            expect(worstDifference(mine[`g${i}`]!, g.data), `${float} gradient ${i}`).toBeLessThan(againstTorch[float])
        }
        const feeds = await drawFeeds(c, 'float32', seeded(name.length))
        await expectAgreement(executor, c, feeds)
      })
  })

  describe('the port', () => {
    const sums = () => {
      const b = new GraphBuilder()
      const [x, y] = [b.input('x', 'float32', ['N', 2]), b.input('y', 'float32', ['N', 2])]
      return closeGraph({ sum: b.add(x, y), product: b.mul(x, y) })
    }
    it('has its name and a version', () => {
      expect(executor.name).toBe(traits.name)
      expect(executor.version).toMatch(/\d+\.\d+/)
    })
    it('names its inputs and outputs, and gives all outputs unless asked', async () => {
      const p = await executor.load(sums())
      expect([...p.inputs].sort()).toEqual(['x', 'y'])
      expect([...p.outputs].sort()).toEqual(['product', 'sum'])
      const out = await p.run({ x: float32([1, 2], [1, 2]), y: float32([1, 2], [3, 4]) })
      expect(Object.keys(out).sort()).toEqual(['product', 'sum'])
      expect(out['sum']).toMatchObject({ type: 'float32' })
      expect([...out['sum']!.dims]).toEqual([1, 2])
      await p.release()
    })
    it('writes into the tensors it is given, and fetches only what is asked for', async () => {
      const p = await executor.load(sums())
      const target = float32([1, 2])
      const out = await p.run({ x: float32([1, 2], [1, 2]), y: float32([1, 2], [3, 4]) }, { product: target })
      expect(Object.keys(out)).toEqual(['product'])
      expect(out['product']).toBe(target)
      expect([...target.data]).toEqual([3, 8])
      await p.release()
    })
    it('takes other sizes of its symbols from run to run, none included', async () => {
      const p = await executor.load(sums())
      for (const n of [3, 1, 0, 5]) {
        const feeds = { x: float32([n, 2], new Array(2 * n).fill(2)), y: float32([n, 2], new Array(2 * n).fill(3)) }
        expect(numbersOf((await p.run(feeds))['product']!)).toEqual(new Array(2 * n).fill(6))
      }
      await p.release()
    })
    it('leaves what it was fed alone, also where an input is an output', async () => {
      const b = new GraphBuilder()
      const x = b.input('x', 'float32', [2])
      const p = await executor.load(closeGraph({ same: x, twice: b.add(x, x) }))
      const feed = float32([2], [1, 2])
      const { same, twice } = await p.run({ x: feed })
      ;(twice!.data as Float32Array).fill(9)
      ;(same!.data as Float32Array).fill(9)
      expect([...feed.data]).toEqual([1, 2])
      await p.release()
    })
    it('ping-pongs: what was written is fed next', async () => {
      const b = new GraphBuilder()
      const x = b.input('x', 'float32', [2])
      const p = await executor.load(closeGraph({ next: b.mul(x, b.scalar(2)) }))
      const banks = [float32([2], [1, 3]), float32([2])] as const
      for (let i = 0; i < 4; i++) await p.run({ x: banks[i % 2]! }, { next: banks[(i + 1) % 2]! })
      expect([...banks[0].data]).toEqual([16, 48])
      await p.release()
    })
    it('names the input that is missing or does not fit, and runs on afterwards', async () => {
      const p = await executor.load(sums())
      const x = float32([2, 2])
      await expect(p.run({ x })).rejects.toThrow('input "y": nothing came, float32[N, 2] was expected')
      await expect(p.run({ x, y: float32([2, 3]) })).rejects.toThrow('input "y": float32[2, 3] came, float32[N, 2] was expected')
      await expect(p.run({ x, y: float32([3, 2]) })).rejects.toThrow('input "y": float32[3, 2] came')
      await expect(p.run({ x, y: int32([2, 2]) })).rejects.toThrow('input "y": int32[2, 2] came')
      expect(await settled(p.run({ x, y: x }))).toBe('fulfilled')
      await p.release()
    })
    it('runs whole numbers, truth values and casts between all types', async () => {
      const b = new GraphBuilder()
      const x = b.input('x', 'float32', [4])
      const long = b.input('long', 'int64', [4])
      const outputs = {
        less: b.less(x, b.scalar(2)),
        int32: b.cast(x, 'int32'),
        int64: b.cast(x, 'int64'),
        bool: b.cast(x, 'bool'),
        sum: b.add(b.cast(long, 'int32'), b.input('short', 'int32', [4])),
        back: b.add(long, long),
        flipped: b.not(b.input('flag', 'bool', [4])),
        total: b.reduceSum(b.input('short', 'int32', [4]), [0]),
      }
      const p = await executor.load(closeGraph(outputs))
      const out = await p.run({
        x: float32([4], [-1.7, 0, 2.9, 3]),
        long: tensor('int64', [4], [1, -2, 3, 70_000]),
        short: int32([4], [5, 6, -7, 8]),
        flag: tensor('bool', [4], [1, 0, 0, 1]),
      })
      const numbers = Object.fromEntries(Object.entries(out).map(([name, t]) => [name, numbersOf(t)]))
      expect(numbers).toEqual({
        less: [1, 1, 0, 0],
        int32: [-1, 0, 2, 3],
        int64: [-1, 0, 2, 3],
        bool: [1, 0, 1, 1],
        sum: [6, 4, -4, 70_008],
        back: [2, -4, 6, 140_000],
        flipped: [0, 1, 1, 0],
        total: [12],
      })
      for (const [name, value] of Object.entries(outputs)) expect(out[name]!.type, name).toBe(value.type)
      await p.release()
    })
    it('gives the same bits for the same graph and feeds', async () => {
      const b = new GraphBuilder()
      const [x, w] = [b.input('x', 'float32', ['N', 33]), b.input('w', 'float32', [17, 33])]
      const graph = closeGraph({ y: b.softmax(b.linear(b.tanh(x), w)), s: b.sumAll(b.linear(x, w)) })
      const rng = seeded(3)
      const draw = (dims: number[]) =>
        float32(
          dims,
          Array.from({ length: dims.reduce((a, d) => a * d, 1) }, () => rng.next() - 0.5),
        )
      const feeds = { x: draw([257, 33]), w: draw([17, 33]) }
      const runs: Buffer[] = []
      for (let i = 0; i < 4; i++) {
        const p = await executor.load(graph)
        const { y, s } = await p.run(feeds)
        runs.push(Buffer.concat([y!, s!].map((t) => Buffer.from(Float32Array.from(t.data as Float32Array).buffer))))
        await p.release()
      }
      for (const run of runs) expect(Buffer.compare(run, runs[0]!)).toBe(0)
    })
    it('runs several programs side by side', async () => {
      const programs = await Promise.all([1, 2, 3].map((k) => executor.load(scaled(k))))
      const results = await Promise.all(programs.map((p) => p.run({ x: float32([2], [1, 10]) })))
      expect(results.map((r) => numbersOf(r['y']!))).toEqual([
        [1, 10],
        [2, 20],
        [3, 30],
      ])
      for (const p of programs) await p.release()
    })
    it('does not run what was released', async () => {
      const p = await executor.load(scaled(2))
      await p.release()
      expect(await settled(p.run({ x: float32([2]) }))).toBe('rejected')
    })
  })
}

/** y = k x, with a constant in it. */
function scaled(k: number) {
  const b = new GraphBuilder()
  return closeGraph({ y: b.mul(b.input('x', 'float32', [2]), b.constant(float32([2], [k, k]))) })
}

/** Forward and backward in float32 beside onnxruntime, each within what its own graph's ops may differ by. */
export async function expectAgreement(executor: TensorExecutor, c: Parameters<typeof runCase>[1], feeds: NamedTensors): Promise<void> {
  const { result, gradients } = graphsOf(c, 'float32')
  const [mine, theirs] = [await runCase(executor, c, 'float32', feeds), await runCase(ortExecutor, c, 'float32', feeds)]
  for (const [name, numbers] of Object.entries(theirs)) {
    const graph = name === 'result' ? result : gradients
    const ops = graph.nodes.map((n) => n.op).join(', ')
    expect(worstDifference(mine[name]!, numbers), `${name} of ${ops}`).toBeLessThanOrEqual(toleranceOf(graph))
  }
}
