import fc from 'fast-check'
import onnxProto from 'onnx-proto'
import { describe, expect, it } from 'vitest'
import { readMetadata, readSignature } from '../../../src/artifacts/onnx/export.js'
import { foldConstants } from '../../../src/artifacts/onnx/fold.js'
import { quantizeOnnx, quantizeWeights, weightLimit } from '../../../src/artifacts/onnx/quantize.js'
import { parityGrid } from '../../../src/artifacts/parity/grid.js'
import { exportForward } from '../../../src/models/export.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { models } from '../../../src/models/registry.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileForward } from '../../../src/tensor/compile.js'
import { encodeOnnx } from '../../../src/tensor/onnx.js'
import { loadOnnx } from '../../../src/tensor/ort.js'
import { float32, numbersOf } from '../../../src/tensor/tensor.js'

const { onnx } = onnxProto

/** y = x W^T + b with x [rows, in], W [out, in]. */
function linearModel(weights: Float32Array, bias: Float32Array, inputs: number) {
  const b = new GraphBuilder()
  const outputs = bias.length
  const w = b.constant(float32([outputs, inputs], weights), 'w')
  const y = b.linear(b.input('x', 'float32', ['rows', inputs]), w, b.constant(float32([outputs], bias), 'b'))
  return encodeOnnx(compileForward({ y }))
}

async function run(bytes: Uint8Array, x: Float32Array, inputs: number): Promise<number[]> {
  const program = await loadOnnx(bytes, { threads: 1 })
  const { y } = await program.run({ x: float32([x.length / inputs, inputs], x) })
  await program.release()
  return numbersOf(y!)
}

/** DynamicQuantizeLinear as the ONNX standard writes it (opset 11): range widened to 0, scale of 255 steps, rounding half to even. */
function quantizeActivation(x: Float32Array) {
  const [low, high] = [Math.min(0, ...x), Math.max(0, ...x)]
  const scale = Math.fround(Math.fround(high - low) / 255)
  const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v))
  const clamp = (v: number) => Math.max(0, Math.min(255, v))
  const zero = clamp(even(Math.fround(-low / scale)))
  return { scale, zero, values: Array.from(x, (v) => clamp(even(Math.fround(v / scale)) + zero)) }
}

const numbers = (count: number, spread: number) => {
  let state = 12345
  return Float32Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return spread * (state / 1073741824 - 1)
  })
}

describe('quantizeWeights', () => {
  it('is within half a step of every weight, per channel, whichever way they are stored', () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
    const property = fc.property(
      shape.chain(([rows, columns]) =>
        fc.tuple(
          fc.constant([rows, columns]),
          fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: rows * columns, maxLength: rows * columns }),
        ),
      ),
      ([[rows, columns], values]) => {
        const stored = Float32Array.from(values)
        const plain = quantizeWeights(stored, [rows!, columns!], false)
        const turned = Float32Array.from({ length: stored.length }, (_, i) => stored[(i % rows!) * columns! + Math.floor(i / rows!)]!)
        expect(quantizeWeights(turned, [columns!, rows!], true)).toEqual(plain)
        for (let k = 0; k < rows!; k++)
          for (let n = 0; n < columns!; n++) {
            const at = k * columns! + n
            expect(Math.abs(plain.values[at]!)).toBeLessThanOrEqual(weightLimit)
            expect(Math.abs(plain.values[at]! * plain.scales[n]! - stored[at]!)).toBeLessThanOrEqual(plain.scales[n]! * 0.5001)
          }
      },
    )
    fc.assert(property, { numRuns: 200 })
  })

  it('a channel of zeros stays zero', () => {
    const { values, scales } = quantizeWeights(Float32Array.of(0, 1, 0, -2), [2, 2], false)
    expect([...values]).toEqual([0, 32, 0, -64])
    expect([...scales]).toEqual([1, 2 / 64])
  })

  it('cannot saturate the 16-bit sums of two products', () => {
    expect(2 * 255 * weightLimit).toBeLessThanOrEqual(32_767)
  })
})

describe('quantizeOnnx', () => {
  it('computes what the formulas say', async () => {
    const [rows, inputs, outputs] = [5, 24, 7]
    const weights = numbers(inputs * outputs, 0.7).map((w, i) => w * (1 + Math.floor(i / inputs)))
    const bias = numbers(outputs, 2)
    const x = numbers(rows * inputs, 3).map((v) => v + 1)
    const { bytes, quantized } = await quantizeOnnx(linearModel(weights, bias, inputs))
    expect(quantized).toEqual(['w'])
    const found = await run(bytes, x, inputs)

    const activation = quantizeActivation(x)
    for (let row = 0; row < rows; row++)
      for (let out = 0; out < outputs; out++) {
        const channel = weights.subarray(out * inputs, (out + 1) * inputs)
        const scale = Math.fround(Math.max(...channel.map(Math.abs)) / 64)
        let sum = 0
        for (let k = 0; k < inputs; k++) sum += (activation.values[row * inputs + k]! - activation.zero) * Math.round(channel[k]! / scale)
        const expected = sum * scale * activation.scale + bias[out]!
        expect(Math.abs(found[row * outputs + out]! - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)))
      }
  })

  it('is exact where nothing has to be rounded, at the extremes', async () => {
    const inputs = 64
    const x = new Float32Array(2 * inputs).fill(255, 0, inputs)
    const weights = new Float32Array(2 * inputs).fill(64, 0, inputs).fill(-64, inputs)
    const { bytes } = await quantizeOnnx(linearModel(weights, new Float32Array(2), inputs))
    expect(await run(bytes, x, inputs)).toEqual([255 * 64 * inputs, -255 * 64 * inputs, 0, 0])
  })

  // narrow models have the three gates of a state packed into one product
  it.each([
    [16, 2],
    [48, 6],
  ])('of width %i leaves biases, scores and everything that is no product with weights in fp32', async (hidden, gates) => {
    const { model, bytes } = exported('ggnn', 'dense', { hidden })
    const quantized = onnx.ModelProto.decode((await quantizeOnnx(bytes)).bytes)
    const nodes = quantized.graph!.node!
    const count = (op: string) => nodes.filter((n) => n.opType === op).length
    // input, messages, and per step the gates, gate and value with states and features; the score stays
    expect(count('MatMulInteger')).toBe(1 + 2 * (1 + gates) + 4)
    expect(count('Gemm')).toBe(1)
    // x, and per step h and the messages; one quantization serves every product of a value
    expect(count('DynamicQuantizeLinear')).toBe(1 + 2 * 2 + 1)
    const types = new Map(quantized.graph!.initializer!.map((t) => [t.name!, t.dataType]))
    expect(types.get('input.bias')).toBe(onnx.TensorProto.DataType.FLOAT)
    expect(types.get('score.weight')).toBe(onnx.TensorProto.DataType.FLOAT)
    expect(types.get('message.weight.T.int8')).toBe(onnx.TensorProto.DataType.INT8)
    expect([...types.keys()]).not.toContain('message.weight')
    expect(readMetadata((await quantizeOnnx(bytes)).bytes)).toMatchObject({ precision: 'int8', model: model.name })
  })
})

const exported = (name: string, layout: string, more: Record<string, unknown> = {}) => {
  const model = models[name]!
  const options = model.options.parse({ features: 5, hidden: 16, steps: 2, ...more })
  const parameters = initializeParameters(model.parameters(options), 7)
  return { model, options, bytes: exportForward(model, options, parameters, { layout }) }
}

const cases = Object.values(models).flatMap((model) => {
  const layouts = model.exportLayouts?.(model.options.parse({})) ?? ['dense']
  return layouts.map((layout) => ({ name: model.name, layout }))
})

describe.each(cases)('$name, $layout', ({ name, layout }) => {
  it('folding constants changes no bit, and leaves no weights to split', async () => {
    const { model, options, bytes } = exported(name, layout)
    const folded = await foldConstants(onnx.ModelProto.decode(bytes))
    const constants = new Set(folded.graph!.initializer!.map((t) => t.name))
    for (const node of folded.graph!.node!) expect(node.input!.filter(Boolean).every((input) => constants.has(input))).toBe(false)
    const [before, after] = [await loadOnnx(bytes), await loadOnnx(onnx.ModelProto.encode(folded).finish())]
    const examples = parityGrid(model.examples, 5, 0).flatMap((g) => g.examples)
    const { batch } = model.encode(examples, options, layout)
    expect((await after.run(batch.feeds))['scores']).toEqual((await before.run(batch.feeds))['scores'])
    await before.release()
    await after.release()
  })

  it('int8 keeps names and shapes, is smaller, and answers nearly the same', async () => {
    const { model, options, bytes } = exported(name, layout, { hidden: 64 })
    const { bytes: small, quantized } = await quantizeOnnx(bytes)
    expect(readSignature(small)).toEqual(readSignature(bytes))
    expect(quantized.length).toBeGreaterThan(3)
    const weightBytes = (file: Uint8Array) =>
      onnx.ModelProto.decode(file).graph!.initializer!.reduce((sum, t) => sum + t.rawData!.length, 0)
    expect(weightBytes(small)).toBeLessThan(0.35 * weightBytes(bytes))
    const [exact, rounded] = [await loadOnnx(bytes), await loadOnnx(small)]
    const examples = parityGrid(model.examples, 5, 0).flatMap((g) => g.examples)
    const { batch } = model.encode(examples, options, layout)
    const [a, b] = [model.decode(await exact.run(batch.feeds), batch).flat(), model.decode(await rounded.run(batch.feeds), batch).flat()]
    const spread = Math.max(...a) - Math.min(...a)
    for (const [i, score] of a.entries()) expect(Math.abs(score - b[i]!)).toBeLessThan(0.1 * spread)
    expect(a).not.toEqual(b)
    await exact.release()
    await rounded.release()
  })
})
