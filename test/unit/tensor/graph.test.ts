import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import { addDimensions, broadcast, evaluateDimension, multiplyDimensions } from '../../../src/tensor/dimension.js'
import { closeGraph, type Graph, producer } from '../../../src/tensor/graph.js'
import { encodeOnnx } from '../../../src/tensor/onnx.js'
import { loadOnnx, ortExecutor } from '../../../src/tensor/ort.js'
import { decodeSafetensors, encodeSafetensors } from '../../../src/tensor/safetensors.js'
import { simplify } from '../../../src/tensor/simplify.js'
import { float32, int32, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import { feedUniform, uniformNumbers } from '../../../src/tensor/uniform.js'

const opsOf = (graph: Graph) => graph.nodes.map((n) => n.op)

describe('dimensions', () => {
  it('multiply and add to one canonical form', () => {
    expect(multiplyDimensions('n', 2, 'B')).toBe('2*B*n')
    expect(multiplyDimensions('B', 'n')).toBe(multiplyDimensions('n', 'B'))
    expect(addDimensions('n', 1, 'n')).toBe('2*n+1')
    expect(multiplyDimensions(addDimensions('n', 1), 2)).toBe('2*n+2')
    expect(multiplyDimensions(3, 4)).toBe(12)
    expect(multiplyDimensions('n', 0)).toBe(0)
  })
  it('have the value of their symbols', () => {
    const symbols = new Map([
      ['n', 5],
      ['B', 3],
    ])
    expect(evaluateDimension(addDimensions(multiplyDimensions('n', 'B', 2), 'B', 7), symbols)).toBe(40)
    expect(() => evaluateDimension('m', symbols)).toThrow('symbol "m" has no value')
  })
  it('broadcast as NumPy does; a symbol meets only itself or 1', () => {
    expect(broadcast(['B', 1, 3], ['n', 1], 'x')).toEqual(['B', 'n', 3])
    expect(() => broadcast(['B', 2], ['n', 2], 'Add')).toThrow('Add: shapes [B, 2] and [n, 2] do not broadcast (B against n)')
  })
})

describe('the builder', () => {
  it('makes equal computations one, and builds nothing for nothing', () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', ['N', 3])
    expect(b.tanh(b.add(x, b.scalar(2)))).toBe(b.tanh(b.add(x, b.scalar(2))))
    expect(b.add(x, b.scalar(0))).toBe(x)
    expect(b.mul(b.scalar(1), x)).toBe(x)
    expect(b.reshape(b.reshape(x, ['3*N']), ['N', 3])).toBe(x)
    expect(b.neg(b.neg(x))).toBe(x)
    expect(b.mul(x, b.scalar(-0))).not.toBe(b.mul(x, b.scalar(0)))
  })
  it('names op, shapes and what was expected when they do not fit', () => {
    const b = new GraphBuilder()
    const [x, y] = [b.input('x', 'float32', ['N', 3]), b.input('y', 'float32', [4, 2])]
    expect(() => b.matmul(x, y)).toThrow('MatMul(float32[N, 3], float32[4, 2]): expected equal inner dimensions, not 3 and 4')
    expect(() => b.reshape(x, ['N', 4])).toThrow('Reshape(float32[N, 3])')
    expect(() => b.add(x, b.input('i', 'int32', [3]))).toThrow('expected one element type')
  })
  it('drops what no output needs', () => {
    const b = new GraphBuilder()
    const [x, unused] = [b.input('x', 'float32', [2]), b.input('unused', 'float32', [2])]
    b.exp(unused)
    const graph = closeGraph({ y: b.exp(x) })
    expect(opsOf(graph)).toEqual(['Exp'])
    expect(graph.inputs.map((i) => i.name)).toEqual(['x'])
  })
})

describe('differentiation', () => {
  it('adds up what comes along several ways, and gives zeros where none leads', async () => {
    const b = new GraphBuilder()
    const [x, apart] = [b.input('x', 'float32', [3]), b.input('apart', 'float32', [2])]
    const loss = b.sumAll(b.add(b.mul(x, x), b.add(x, x)))
    const [dx, none] = differentiate(b, loss, [x, apart])
    const program = await ortExecutor.load(closeGraph({ dx: dx!, none: none! }))
    const out = await program.run({ x: float32([3], [1, 2, 3]) })
    expect(numbersOf(out['dx']!)).toEqual([4, 6, 8])
    expect(numbersOf(out['none']!)).toEqual([0, 0])
  })
  it('differentiates only what leads to the parameters', () => {
    const b = new GraphBuilder()
    const [x, w] = [b.input('x', 'float32', ['N', 3]), b.input('w', 'float32', [4, 3])]
    const loss = b.sumAll(b.linear(x, w))
    const before = closeGraph({ loss }).nodes.length
    const [dw] = differentiate(b, loss, [w])
    expect(closeGraph({ loss, dw: dw! }).nodes.length - before).toBeLessThanOrEqual(3)
  })
  it('says which op has no gradient, and why', () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [4, 2])
    const forwardOnly = { forward: 1, forwardOrdered: false, backward: 0, backwardOrdered: false }
    const loss = b.sumAll(b.apply('GatherSum', [x, b.constant(int32([1, 2], [0, 1]))], forwardOnly)[0]!)
    expect(() => differentiate(b, loss, [x])).toThrow('GatherSum has no gradient here: it was built without a backward map')
  })
  it('has gradients of large parameters computed on the way, which changes no bit', async () => {
    const b = new GraphBuilder()
    const layers = Array.from({ length: 14 }, (_, i) => b.input(`w${i}`, 'float32', [64, 64]))
    const y = layers.reduce((x, w) => b.tanh(b.linear(x, w)), b.input('x', 'float32', ['N', 64]))
    const gradients = differentiate(b, b.sumAll(b.mul(y, y)), layers)
    const graph = closeGraph(Object.fromEntries(gradients.map((g, i) => [`d${i}`, g])))
    const late = simplify(graph, [{ name: 'late', ops: ['After'], gain: '', rebuild: (_, [x]) => [x!] }])
    expect(opsOf(graph).filter((op) => op === 'After')).toHaveLength(2)
    expect(opsOf(late)).not.toContain('After')
    const numbers = (rows: number, scale: number) =>
      float32(
        [rows, 64],
        Float32Array.from({ length: rows * 64 }, (_, i) => Math.sin(i * scale)),
      )
    const feeds = { x: numbers(5, 0.7), ...Object.fromEntries(layers.map((_, i) => [`w${i}`, numbers(64, 1.3 + i)])) }
    const results = await Promise.all([graph, late].map(async (g) => (await ortExecutor.load(g)).run(feeds)))
    expect(results[0]).toEqual(results[1])
  })
  it('takes what changes in jumps for constant', async () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [2])
    const [dx] = differentiate(b, b.sumAll(b.cast(b.greater(x, b.scalar(0)), 'float32')), [x])
    const program = await ortExecutor.load(closeGraph({ dx: dx! }))
    expect(numbersOf((await program.run({ x: float32([2], [1, -1]) }))['dx']!)).toEqual([0, 0])
  })
  it('refuses a loss that is not a scalar', () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [2])
    expect(() => differentiate(b, x, [x])).toThrow('the loss has shape [2], expected a scalar')
  })
})

describe('simplification', () => {
  it('folds sums of products into Gemm and column sums into products, without changing the result', async () => {
    const b = new GraphBuilder()
    const [x, w, v, c] = [
      b.input('x', 'float32', ['N', 3]),
      b.input('w', 'float32', [4, 3]),
      b.input('v', 'float32', [4, 3]),
      b.input('c', 'float32', [4]),
    ]
    const y = b.add(b.add(b.linear(x, w, c), b.linear(x, v)), b.reduceSum(b.linear(x, v), [0], true))
    const raw = closeGraph({ y })
    const better = simplify(raw)
    expect(opsOf(better)).toContain('Gemm')
    expect(opsOf(better)).not.toContain('ReduceSum')
    const feeds = {
      x: float32([2, 3], [1, -2, 3, 0.5, 4, -1]),
      w: float32([4, 3], [...Array(12).keys()]),
      v: float32(
        [4, 3],
        [...Array(12).keys()].map((i) => Math.sin(i)),
      ),
      c: float32([4], [1, 2, 3, 4]),
    }
    const results: number[][] = []
    for (const graph of [raw, better]) results.push(numbersOf((await (await ortExecutor.load(graph)).run(feeds))['y']!))
    results[0]!.forEach((value, i) => {
      expect(results[1]![i]).toBeCloseTo(value, 5)
    })
  })
  it('leaves a product alone that something else reads too', () => {
    const b = new GraphBuilder()
    const [x, w] = [b.input('x', 'float32', [2, 3]), b.input('w', 'float32', [3, 3])]
    const p = b.matmul(x, w)
    const graph = simplify(closeGraph({ y: b.add(p, b.tanh(p)) }))
    expect(opsOf(graph)).toEqual(['MatMul', 'Tanh', 'Add'])
  })
  it('keeps outputs that are inputs or share a value', async () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [2])
    const y = b.exp(x)
    const program = await ortExecutor.load(simplify(closeGraph({ same: x, a: y, b: y })))
    const out = await program.run({ x: float32([2], [0, 1]) })
    expect(numbersOf(out['same']!)).toEqual([0, 1])
    expect(numbersOf(out['a']!)).toEqual(numbersOf(out['b']!))
  })
  it('drops the way back of mapped sums once gradients are made', () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [2, 3])
    const forward = { tables: [b.input('t', 'int32', [1, 2])], order: null }
    const backward = { tables: [b.input('u', 'int32', [2, 1])], order: null }
    const graph = simplify(closeGraph({ y: b.gatherSum(x, forward, backward) }))
    expect(graph.inputs.map((i) => i.name)).toEqual(['x', 't'])
  })
})

describe('the onnxruntime executor', () => {
  it('says what it cannot load', async () => {
    await expect(loadOnnx(new Uint8Array([1, 2, 3]))).rejects.toThrow(/onnxruntime 1\.\d+\.\d+ refused the graph/)
  })
  it('runs every element type', async () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float64', [3])
    const outputs = {
      less: b.less(x, b.scalar(2, 'float64')),
      int32: b.cast(x, 'int32'),
      int64: b.cast(x, 'int64'),
      float32: b.cast(x, 'float32'),
    }
    const p = await loadOnnx(encodeOnnx(closeGraph(outputs)))
    const out = await p.run({ x: tensor('float64', [3], [1, 2, 3]) })
    expect(numbersOf(out['less']!)).toEqual([1, 0, 0])
    for (const type of ['int32', 'int64', 'float32'] as const) {
      expect(out[type]!.type).toBe(type)
      expect(numbersOf(out[type]!)).toEqual([1, 2, 3])
    }
    await p.release()
  })
})

describe('safetensors', () => {
  it('keeps every bit, type and name', () => {
    const named = {
      'b.weight': float32([2, 2], [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY]),
      a: tensor('float64', [1], [Math.PI]),
      i: int32([], [7]),
      long: tensor('int64', [2], [2 ** 52, -1]),
      flag: tensor('bool', [3], [1, 0, 1]),
    }
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(named, { step: '3' }))
    expect(tensors).toEqual(named)
    expect(metadata).toEqual({ step: '3' })
    const again = encodeSafetensors(Object.fromEntries(Object.entries(named).reverse()), { step: '3' })
    expect(Buffer.compare(again, encodeSafetensors(named, { step: '3' }))).toBe(0)
  })
  it('refuses what is cut off', () => {
    const bytes = encodeSafetensors({ a: float32([4], [1, 2, 3, 4]) })
    for (const length of [0, 4, 20, bytes.length - 1]) expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow('safetensors:')
  })
})

describe('dropout', () => {
  it('keeps 1 - rate of the elements, scaled, by the same numbers every time; nothing outside training', async () => {
    const b = new GraphBuilder('float32', true)
    const x = b.input('x', 'float32', ['N', 100])
    const y = b.dropout(x, 0.3)
    const [dx] = differentiate(b, b.sumAll(y), [x])
    const graph = closeGraph({ y, dx: dx! })
    const feeds = { x: float32([200, 100], new Array(20_000).fill(2)) }
    const random = feedUniform(graph.inputs, feeds, 5, 17)
    const out = await (await ortExecutor.load(graph)).run({ ...feeds, ...random })
    const values = numbersOf(out['y']!)
    const kept = values.filter((v) => v !== 0)
    expect(kept.length / values.length).toBeCloseTo(0.7, 1.5)
    expect(new Set(kept.map((v) => v.toFixed(4)))).toEqual(new Set([(2 / 0.7).toFixed(4)]))
    expect(numbersOf(out['dx']!).map((g) => g > 0)).toEqual(values.map((v) => v > 0))
    expect(feedUniform(graph.inputs, feeds, 5, 17)).toEqual(random)
    const plain = new GraphBuilder()
    const z = plain.input('x', 'float32', [3])
    expect(plain.dropout(z, 0.3)).toBe(z)
  })
  it('draws evenly, and apart for every seed, step and stream', () => {
    const draw = (...[seed, step, stream]: [number, number, number]) => uniformNumbers(seed, step, stream, 50_000)
    const first = draw(1, 0, 0)
    const bins = new Array(20).fill(0)
    for (const u of first) bins[Math.floor(u * 20)]++
    // chi-square, 19 degrees of freedom: 43.8 is the 0.1 % point
    expect(bins.reduce((sum, n) => sum + (n - 2500) ** 2 / 2500, 0)).toBeLessThan(43.8)
    const others: [number, number, number][] = [
      [2, 0, 0],
      [1, 1, 0],
      [1, 0, 1],
      [1 + 2 ** 32, 0, 0],
    ]
    for (const other of others) {
      const second = draw(...other)
      const correlation = first.reduce((sum, u, i) => sum + (u - 0.5) * (second[i]! - 0.5), 0) / first.length / (1 / 12)
      expect(Math.abs(correlation), String(other)).toBeLessThan(0.02)
    }
  })
})

it('a value knows what made it', () => {
  const b = new GraphBuilder()
  const x = b.input('x', 'float32', [1])
  expect(producer(b.exp(x))?.op).toBe('Exp')
  expect(producer(x)).toBeUndefined()
})
