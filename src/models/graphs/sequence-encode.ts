import { float32, type NamedTensors } from '../../tensor/tensor.js'
import type { ReadoutEncoding } from './graph-batch.js'
import { encodeNodeSlots, slotsOf, type UsableExamples, weightsOf } from './graph-batch.js'
import type { EncodedGraphs } from './graph-encode.js'
import type { GraphExample } from './graph-example.js'

interface SequenceOptions {
  features: number
  labels: readonly string[]
  maxOutputs: number
  annotations: 'latent' | 'observed'
}

type Report = (code: string, found: string, expected: string) => void

/** Targets of sequences: the outputs as indices of nodes or labels; an end follows the last. */
export const sequenceEncoding = (o: SequenceOptions): ReadoutEncoding<number[]> => ({
  read(example, report) {
    if (o.annotations === 'observed') checkAnnotations(example, o, report)
    return readSequence(example, o, report)
  },
  count: ({ nodeFeatures }) => (o.labels.length === 0 ? nodeFeatures.length : o.labels.length) + 1,
  feeds(usable, encoded) {
    const annotations = o.annotations === 'observed' && o.maxOutputs > 1 ? encodeAnnotations(usable, encoded, o) : {}
    const slots = o.labels.length === 0 ? encodeNodeSlots(usable.examples, encoded) : {}
    return { ...slots, ...encodeTargets(usable, encoded, o), ...annotations }
  },
})

function readSequence({ target, nodeFeatures }: GraphExample, { labels, maxOutputs }: SequenceOptions, report: Report): number[] {
  if (!Array.isArray(target)) {
    report('target', `target ${JSON.stringify(target)}`, 'a list of outputs')
    return []
  }
  const n = nodeFeatures.length
  const expected = labels.length === 0 ? `indices of nodes, 0 to ${n - 1}` : `labels of ${labels.join(', ')}`
  const isNode = (item: unknown) => Number.isInteger(item) && (item as number) >= 0 && (item as number) < n
  const sequence = target.map((item) => (labels.length > 0 ? labels.indexOf(item) : isNode(item) ? (item as number) : -1))
  const bad = sequence.indexOf(-1)
  if (bad >= 0) report('target', `output ${JSON.stringify(target[bad])} at place ${bad}`, expected)
  if (sequence.length >= maxOutputs)
    report('sequence-too-long', `${sequence.length} outputs`, `${maxOutputs - 1} at most (the option maxOutputs counts the end)`)
  return sequence
}

function checkAnnotations({ annotations = [], nodeFeatures }: GraphExample, { features, maxOutputs }: SequenceOptions, report: Report) {
  if (annotations.length > maxOutputs - 1)
    report('annotations', `annotations for ${annotations.length} outputs after the first`, `${maxOutputs - 1} at most`)
  const bad = annotations.findIndex(
    (rows) => rows.length !== nodeFeatures.length || rows.some((row) => row.length !== features || !row.every((v) => v >= 0 && v <= 1)),
  )
  if (bad >= 0)
    report(
      'annotations',
      `annotations[${bad}]`,
      `${nodeFeatures.length} rows of ${features} numbers from 0 to 1, as the node features have`,
    )
}

/** One-hot targets [B, L, C] with the end in the last column, and weights [B, L]: outputs after the end count nothing. */
function encodeTargets({ examples, targets }: UsableExamples<number[]>, encoded: EncodedGraphs, o: SequenceOptions): NamedTensors {
  const steps = o.maxOutputs
  const width = (o.labels.length === 0 ? slotsOf(examples, encoded) : o.labels.length) + 1
  const target = float32([encoded.total, steps, width])
  const weights = float32([encoded.total, steps])
  const each = weightsOf(targets, encoded.total)
  targets.forEach((sequence, g) => {
    for (const [k, choice] of [...(sequence ?? []), width - 1].entries()) {
      if (!sequence) return
      target.data[(g * steps + k) * width + choice] = 1
      weights.data[g * steps + k] = each[g]!
    }
  })
  return { target, target_weights: weights }
}

/** Observed annotations as rows of the layout: values [R, (L-1) F], weights [R, L-1] that average over an example's nodes and features. */
function encodeAnnotations({ examples, targets }: UsableExamples<number[]>, encoded: EncodedGraphs, o: SequenceOptions): NamedTensors {
  const later = o.maxOutputs - 1
  const { dims } = encoded.feeds['node_features']!
  const rows = dims.slice(0, -1).reduce((a, d) => a * d, 1)
  const values = float32([rows, later * o.features])
  const weights = float32([rows, later])
  const each = weightsOf(targets, encoded.total)
  let start = 0
  examples.forEach(({ nodeFeatures, annotations = [] }, g) => {
    if (encoded.layout === 'dense') start = g * dims[1]!
    const n = nodeFeatures.length
    if (targets[g])
      annotations.forEach((matrix, k) => {
        matrix.forEach((row, v) => {
          values.data.set(row, (start + v) * later * o.features + k * o.features)
          weights.data[(start + v) * later + k] = each[g]! / (n * o.features)
        })
      })
    start += n
  })
  return { annotations: values, annotation_weights: weights }
}
