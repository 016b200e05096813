import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HostTensor } from '../../../src/tensor/tensor.js'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../src/training/checkpoint.js'

const checkpoint = (over: Partial<Checkpoint> = {}): Checkpoint => ({
  header: {
    model: 'ggnn',
    modelOptions: { hidden: 8, nested: { a: [1, null, 'x'] } },
    trainingOptions: { seed: 0 },
    dataHash: 'abc',
    executor: 'ort',
    threads: 2,
    workers: 0,
    optimizer: 'adam',
    updates: 17,
    step: 17,
    position: { epoch: 2, batch: 3 },
    epoch: { loss: 1.2345678901234567, weight: 8 },
    schedule: { best: 0.5, badCount: 1, cooldownLeft: 0, rate: null },
    best: { step: 12, epoch: 1, value: 0.5, metrics: { validation_loss: 0.5, mrr: 0.75 } },
    sinceBest: 1,
  },
  parameters: {
    'a.weight': { type: 'float32', dims: [2, 3], data: Float32Array.of(1, -0, 3.4e38, 1e-45, Number.NaN, Number.NEGATIVE_INFINITY) },
    'a/b': { type: 'float64', dims: [1], data: Float64Array.of(Math.PI) },
    none: { type: 'float32', dims: [0, 4], data: new Float32Array(0) },
  },
  moments: { 'm.a.weight': { type: 'int64', dims: [], data: BigInt64Array.of(-(2n ** 63n)) } },
  best: { mask: { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) }, k: { type: 'int32', dims: [1], data: Int32Array.of(-7) } },
  ...over,
})

const bits = (t: HostTensor) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')

describe('checkpoint format', () => {
  it('gives back what went in, every bit of it', () => {
    const original = checkpoint()
    const copy = decodeCheckpoint(encodeCheckpoint(original))
    expect(copy.header).toEqual(original.header)
    for (const group of ['parameters', 'moments', 'best'] as const) {
      expect(Object.keys(copy[group]).sort()).toEqual(Object.keys(original[group]).sort())
      for (const [name, tensor] of Object.entries(original[group])) {
        expect(copy[group][name]).toMatchObject({ type: tensor.type, dims: tensor.dims })
        expect(bits(copy[group][name]!)).toBe(bits(tensor))
      }
    }
  })

  it('does not depend on the order of names, nor on where its bytes lie', () => {
    const { parameters } = checkpoint()
    const reversed = Object.fromEntries(Object.entries(parameters).reverse())
    const bytes = encodeCheckpoint(checkpoint())
    expect(Buffer.from(encodeCheckpoint(checkpoint({ parameters: reversed }))).equals(Buffer.from(bytes))).toBe(true)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(bits(decodeCheckpoint(shifted.subarray(3)).parameters['a/b']!)).toBe(bits(parameters['a/b']!))
  })

  it('reads views into larger buffers, not the buffers', () => {
    const whole = Float32Array.from({ length: 10 }, (_, i) => i)
    const view: HostTensor = { type: 'float32', dims: [2], data: whole.subarray(3, 5) }
    expect([...decodeCheckpoint(encodeCheckpoint(checkpoint({ best: { view } }))).best['view']!.data]).toEqual([3, 4])
  })

  it('refuses any flipped bit and any truncation as CORRUPT', () => {
    const bytes = encodeCheckpoint(checkpoint())
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), (bit) => {
        const spoilt = bytes.slice()
        spoilt[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => decodeCheckpoint(spoilt)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        expect(() => decodeCheckpoint(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
      }),
    )
  })
})
