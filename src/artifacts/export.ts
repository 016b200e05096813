import onnxProto from 'onnx-proto'
import { exportForward } from '../models/export.js'
import type { Model } from '../models/model.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import type { GraphEntry } from './manifest.js'

const { onnx } = onnxProto

/** The layout that is exported: it takes any batch, where sparse layouts are cut to the degrees of one. */
export const exportedLayout = 'dense'

export interface ExportedGraph {
  bytes: Uint8Array
  entry: GraphEntry
}

/** The forward half as an fp32 ONNX file and how the manifest describes it. */
export function exportGraph(
  model: Model,
  options: unknown,
  parameters: Readonly<NamedTensors>,
  metadata: Readonly<Record<string, string>>,
): ExportedGraph {
  const bytes = exportForward(model, options, parameters, { layout: exportedLayout, metadata })
  return { bytes, entry: { path: `${model.name}.onnx`, layout: exportedLayout, precision: 'fp32', ...readSignature(bytes) } }
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
