import onnxProto from 'onnx-proto'
import ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { exportForward } from '../../../src/models/export.js'
import { ggnn } from '../../../src/models/ggnn.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { buildForward } from '../../../src/models/trainer.js'
import { ortExecutor } from '../../../src/tensor/ort.js'

const options = ggnn.options.parse({ features: 2, hidden: 5, steps: 2, queryFeatures: 1 })
const parameters = initializeParameters(ggnn.parameters(options), 3)
const lists = (count: number) =>
  Array.from({ length: count }, (_, q) => ({
    queryId: `${q}`,
    query: [q],
    candidates: [
      { nodeFeatures: [[1, q]], edges: [] },
      { nodeFeatures: Array.from({ length: 3 + q }, (_, v) => [v, 1]), edges: [[0, 1] as const, [1, 2] as const] },
    ],
  }))

describe('an exported model', () => {
  for (const layout of ['dense', 'sparse'])
    it(`${layout}: plain onnxruntime loads it and gives the trainer's own scores`, async () => {
      const { batch } = ggnn.encode(lists(3), options, layout)
      const bytes = exportForward(ggnn, options, parameters, { layout: batch.layout, metadata: { run: 'r1' } })
      const session = await ort.InferenceSession.create(bytes)
      const feeds = Object.fromEntries(
        session.inputNames.map((name) => [
          name,
          new ort.Tensor(batch.feeds[name]!.type, batch.feeds[name]!.data as Float32Array, batch.feeds[name]!.dims),
        ]),
      )
      const { scores } = await session.run(feeds)
      const program = await ortExecutor.load(buildForward(ggnn, options, batch.layout, false))
      const expected = (await program.run({ ...batch.feeds, ...parameters }))['scores']!
      expect(scores!.dims).toEqual(expected.dims)
      Array.from(scores!.data as Float32Array).forEach((s, i) => {
        expect(Math.abs(s - Number(expected.data[i]))).toBeLessThan(1e-6)
      })
      await session.release()
      await program.release()
    })

  it('says what it is: opset, names, dynamic axes, metadata, parameters by name', () => {
    const model = onnxProto.onnx.ModelProto.decode(exportForward(ggnn, options, parameters, { metadata: { run: 'r1' } }))
    expect(model.opsetImport.find((o) => !o.domain)?.version).toEqual(expect.anything())
    expect(Number(model.opsetImport.find((o) => !o.domain)!.version)).toBeGreaterThanOrEqual(18)
    const dims = (info: onnxProto.onnx.IValueInfoProto) => info.type!.tensorType!.shape!.dim!.map((d) => d.dimParam || Number(d.dimValue))
    expect(Object.fromEntries(model.graph!.input!.map((i) => [i.name, dims(i)]))).toEqual({
      node_features: ['B', 'n', 2],
      adjacency: ['B', 'n', '2*n'],
      node_mask: ['B', 1, 'n'],
      query: ['B', 1],
    })
    expect(model.graph!.output!.map((o) => o.name)).toEqual(['scores'])
    const metadata = Object.fromEntries(model.metadataProps.map((m) => [m.key, m.value]))
    expect(metadata).toMatchObject({ model: 'ggnn', layout: 'dense', run: 'r1' })
    expect(JSON.parse(metadata['options']!)).toEqual(options)
    expect(model.graph!.initializer!.map((t) => t.name)).toEqual(expect.arrayContaining(Object.keys(parameters)))
    expect(model.graph!.node!.some((n) => n.opType === 'Identity')).toBe(false)
  })

  it('takes any number of graphs and nodes', async () => {
    const session = await ort.InferenceSession.create(exportForward(ggnn, options, parameters))
    for (const count of [1, 2, 7]) {
      const { batch } = ggnn.encode(lists(count), options, 'dense')
      const feeds = Object.fromEntries(
        session.inputNames.map((name) => [
          name,
          new ort.Tensor('float32', batch.feeds[name]!.data as Float32Array, batch.feeds[name]!.dims),
        ]),
      )
      expect((await session.run(feeds))['scores']!.dims).toEqual([2 * count, 1])
    }
    await session.release()
  })

  it('refuses parameters of other options', () => {
    expect(() => exportForward(ggnn, { ...options, hidden: 6 }, parameters)).toThrow(
      'parameter "input.weight" is float32[5,2], expected float32[6,2]',
    )
  })
})
