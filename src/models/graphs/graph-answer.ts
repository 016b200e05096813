import { decodeSequence } from '../ggnn/ggnn-sequence.js'
import type { ExampleKind } from '../model.js'
import type { GraphExample, GraphTarget } from './graph-example.js'

/** The read-outs that answer questions about one graph. */
export type AnswerKind = Exclude<ExampleKind, 'ranking'>

/** One of the things that an answer chooses among: a node's index, a label, or null for the end of a sequence. */
export interface Choice {
  value: number | string | null
  /** share of the softmax over all choices */
  probability: number
}

/** What a model answers about a graph, and how sure it is. */
export interface GraphAnswer {
  answer: GraphTarget
  /** of the answer; of a sequence the product over its outputs, the end included */
  probability: number
  /** per output (one, but for sequences) every choice, the likeliest first; equal ones in their own order */
  outputs: Choice[][]
}

type Options = Readonly<Record<string, unknown>>

const labelsOf = ({ labels }: Options) => (labels ?? []) as readonly string[]
/** Largest of any number of values (spreading a hundred thousand of them as arguments overflows the stack). */
const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
const best = (scores: readonly number[]) => scores.indexOf(largest(scores))

const targets: Record<
  AnswerKind,
  (scores: readonly number[], example: GraphExample, labels: readonly string[]) => GraphTarget | undefined
> = {
  node: best,
  graph: (scores, _, labels) => labels[best(scores)],
  sequence(scores, { nodeFeatures }, labels) {
    const outputs = decodeSequence(scores, (labels.length || nodeFeatures.length) + 1)
    return labels.length > 0 ? outputs.map((output) => labels[output]!) : outputs
  },
}

/** What scores answer: a node's index, a label, or a whole sequence; undefined for an example that could not be encoded. */
export const answerOf = (kind: AnswerKind, example: GraphExample, scores: readonly number[], options: Options): GraphTarget | undefined =>
  scores.length === 0 ? undefined : targets[kind](scores, example, labelsOf(options))

/** Softmax that no size of score overflows; probabilities sum to 1. */
export function probabilitiesOf(scores: readonly number[]): number[] {
  const most = largest(scores)
  const shares = scores.map((score) => Math.exp(score - most))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share) => share / total)
}

/** The answer with the probabilities of every choice. `scores` are those of `Model.decode`, finite, of an example that could be encoded. */
export function readAnswer(kind: AnswerKind, example: GraphExample, scores: readonly number[], options: Options): GraphAnswer {
  const labels = labelsOf(options)
  const things = kind === 'node' || labels.length === 0 ? example.nodeFeatures.length : labels.length
  const width = kind === 'sequence' ? things + 1 : things
  const valueAt = (at: number) => (at === things ? null : kind !== 'node' && labels.length > 0 ? labels[at]! : at)
  const outputs: Choice[][] = []
  for (let at = 0; at < scores.length; at += width) {
    const choices = probabilitiesOf(scores.slice(at, at + width)).map((probability, i) => ({ value: valueAt(i), probability }))
    outputs.push(choices.sort((a, b) => b.probability - a.probability))
    if (outputs.at(-1)![0]!.value === null) break
  }
  const probability = outputs.reduce((product, [first]) => product * first!.probability, 1)
  return { answer: answerOf(kind, example, scores, options)!, probability, outputs }
}
