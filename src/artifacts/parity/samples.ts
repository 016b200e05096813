import { z } from 'zod'
import { elementTypes, type HostTensor, type NamedTensors, numbersOf } from '../../tensor/tensor.js'
import { EspalierError } from '../../util/error.js'

/** The file of inputs with the answers that they must have: whoever runs the model elsewhere checks himself by it. */
export const samplesPath = 'parity-samples.json'

const sampleTensor = z.strictObject({
  type: z.enum(elementTypes),
  dims: z.array(z.number().int().min(0)),
  data: z.array(z.number()).describe('row-major'),
})

const graphSample = z.strictObject({
  path: z.string().describe('the ONNX file that these inputs are for'),
  tolerance: z.number().describe('how far an output may be from the one here'),
  inputs: z.record(z.string(), sampleTensor),
  outputs: z.record(z.string(), sampleTensor),
})
export type GraphSample = z.output<typeof graphSample>

/** The samples file. `graphs` is all that another runtime needs; `examples` and `scores` are the same before encoding. */
export const paritySamples = z.strictObject({
  tolerance: z.number().describe('of fp32 scores'),
  examples: z.array(z.json()),
  scores: z.array(z.array(z.number())).describe('per example, by the fp32 file'),
  graphs: z.array(graphSample),
})
export type ParitySamples = z.output<typeof paritySamples>

/** A tensor as JSON: float32 numbers print as the double of the same value and come back bit for bit. */
export const encodeSampleTensor = (t: HostTensor): z.output<typeof sampleTensor> => ({
  type: t.type,
  dims: [...t.dims],
  data: numbersOf(t),
})

export const encodeSampleTensors = (tensors: Readonly<NamedTensors>, names = Object.keys(tensors)): GraphSample['inputs'] =>
  Object.fromEntries(names.map((name) => [name, encodeSampleTensor(tensors[name]!)]))

/** The samples of an artifact; those written before there were tensors have none for other runtimes. CORRUPT when it is something else. */
export function parseSamples(bytes: Uint8Array): ParitySamples {
  const json = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  const { lists, ...rest } = json
  const parsed = paritySamples.safeParse(lists === undefined ? json : { ...rest, examples: lists, graphs: [] })
  if (parsed.success) return parsed.data
  throw new EspalierError('CORRUPT', `${samplesPath}: ${z.prettifyError(parsed.error)}`, {
    remedy: 'Publish the artifact again from its run.',
  })
}
