import onnxProto from 'onnx-proto'
import { exportForward } from '../../models/export.js'
import type { Model } from '../../models/model.js'
import type { NamedTensors } from '../../tensor/tensor.js'
import { EspalierError } from '../../util/error.js'
import type { GraphEntry } from '../manifest.js'
import { layoutKind } from '../parity/scorer.js'
import { quantizeOnnx } from './quantize.js'

const { onnx } = onnxProto

export interface ExportedGraph {
  bytes: Uint8Array
  entry: GraphEntry
}

const pathOf = (name: string, layout: string, precision: GraphEntry['precision']) =>
  [name, ...(layout === 'dense' ? [] : [layoutKind(layout)]), ...(precision === 'int8' ? ['int8'] : []), 'onnx'].join('.')

const asGraph = (model: Pick<Model, 'name'>, layout: string, precision: GraphEntry['precision'], bytes: Uint8Array): ExportedGraph => ({
  bytes,
  entry: { path: pathOf(model.name, layout, precision), layout, precision, ...readSignature(bytes) },
})

/** The forward half as fp32 ONNX files, one for each layout that the model is served in, and how the manifest describes them. */
export function exportGraphs(
  // biome-ignore lint/suspicious/noExplicitAny: a model of any options and examples
  model: Model<any, any>,
  options: unknown,
  parameters: Readonly<NamedTensors>,
  metadata: Readonly<Record<string, string>>,
): ExportedGraph[] {
  const layouts = model.exportLayouts?.(options) ?? ['dense']
  return layouts.map((layout) =>
    asGraph(model, layout, 'fp32', exportForward(model, options, parameters, { layout, metadata: { precision: 'fp32', ...metadata } })),
  )
}

/** The int8 form of an exported graph. */
export async function quantizeGraph(model: Pick<Model, 'name'>, { bytes, entry }: ExportedGraph): Promise<ExportedGraph> {
  return asGraph(model, entry.layout, 'int8', (await quantizeOnnx(bytes)).bytes)
}

/** Element types of ONNX (TensorProto.DataType) by their number. */
const elementTypes: Readonly<Record<number, string>> = { 1: 'float32', 6: 'int32', 7: 'int64', 9: 'bool', 11: 'float64' }

/** Inputs and outputs as the file itself names them. */
export function readSignature(bytes: Uint8Array): Pick<GraphEntry, 'inputs' | 'outputs'> {
  const { graph } = onnx.ModelProto.decode(bytes)
  const signature = ({ name, type }: onnxProto.onnx.IValueInfoProto) => {
    const { elemType, shape } = type?.tensorType ?? {}
    const known = elementTypes[elemType ?? 0]
    if (!name || !known)
      throw new EspalierError('INTERNAL', `ONNX file: "${name}" has the element type ${elemType}, expected a tensor of a known one`)
    return { name, type: known, dims: (shape?.dim ?? []).map((d) => d.dimParam || Number(d.dimValue ?? 0)) }
  }
  return { inputs: (graph?.input ?? []).map(signature), outputs: (graph?.output ?? []).map(signature) }
}

/** The metadata_props of an ONNX file. */
export const readMetadata = (bytes: Uint8Array): Record<string, string> =>
  Object.fromEntries(onnx.ModelProto.decode(bytes).metadataProps.map(({ key, value }) => [key ?? '', value ?? '']))
