import { GraphBuilder } from '../tensor/builder.js'
import { compileForward } from '../tensor/compile.js'
import { encodeOnnx } from '../tensor/onnx.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { canonicalJson } from '../util/hash.js'
import type { Model } from './model.js'
import { parseOptions } from './options.js'
import { assertParameters } from './parameters.js'

export interface ExportOptions {
  /** which of the model's graphs; default `dense` */
  layout?: string
  /** goes into metadata_props, beside `model`, `options` and `layout` */
  metadata?: Readonly<Record<string, string>>
}

/**
 * The forward half of a model with its parameters inside, as ONNX bytes (opset 18): inputs and outputs named, batch and node counts as
 * dynamic axes. The inputs are the feeds of the model's own `encode` for that layout. Throws BAD_INPUT when options and parameters do
 * not belong together.
 */
export function exportForward<Options, Example>(
  model: Model<Options, Example>,
  options: Options | Partial<Options>,
  parameters: Readonly<NamedTensors>,
  { layout = 'dense', metadata = {} }: ExportOptions = {},
): Uint8Array {
  const parsed = parseOptions(model, options)
  const specs = model.parameters(parsed)
  assertParameters(specs, parameters)
  const b = new GraphBuilder()
  const values = Object.fromEntries(specs.map(({ name }) => [name, b.constant(parameters[name]!, name)]))
  const graph = compileForward(model.forward(b, values, layout, parsed))
  return encodeOnnx(graph, { name: model.name, metadata: { model: model.name, options: canonicalJson(parsed), layout, ...metadata } })
}
