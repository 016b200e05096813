import { decodeSequence } from '../../models/ggnn/ggnn-sequence.js'
import { digestGraphExample, type GraphExample } from '../../models/graphs/graph-example.js'
import type { LearningTask } from './learning-task.js'

/** The read-outs that learn from graph examples. */
export type GraphKind = 'node' | 'graph' | 'sequence'

const widthsOf = (examples: readonly GraphExample[]) => ({
  features: examples.find((e) => e.nodeFeatures.length > 0)?.nodeFeatures[0]?.length ?? 1,
  queryFeatures: examples.find((e) => e.query)?.query?.length ?? 0,
  edgeTypes: examples.reduce((most, e) => (e.edgeTypes ?? []).reduce((m, type) => Math.max(m, type + 1), most), 1),
})

const sorted = (labels: Iterable<string>) => [...new Set(labels)].sort()
const outputsOf = ({ target }: GraphExample): readonly (number | string)[] => (Array.isArray(target) ? target : [])
const best = (scores: readonly number[]) => scores.indexOf(Math.max(...scores))

/** What the data decides of the options, and what the scores of an example say, in the terms of its target. */
interface Reading {
  optionsOf(examples: readonly GraphExample[]): Record<string, unknown>
  answerOf(scores: readonly number[], example: GraphExample, labels: readonly string[]): GraphExample['target']
}

const readings: Record<GraphKind, Reading> = {
  node: { optionsOf: () => ({}), answerOf: best },
  graph: {
    optionsOf: (examples) => {
      const labels = sorted(examples.flatMap(({ target }) => (typeof target === 'string' ? [target] : [])))
      return labels.length > 0 ? { labels } : {}
    },
    answerOf: (scores, _, labels) => labels[best(scores)],
  },
  sequence: {
    optionsOf: (examples) => ({
      labels: sorted(examples.flatMap((e) => outputsOf(e).filter((output) => typeof output === 'string'))),
      maxOutputs: 1 + examples.reduce((most, e) => Math.max(most, outputsOf(e).length), 0),
    }),
    answerOf(scores, { nodeFeatures }, labels) {
      const outputs = decodeSequence(scores, (labels.length || nodeFeatures.length) + 1)
      return labels.length > 0 ? outputs.map((output) => labels[output]!) : outputs
    },
  },
}

const labelsOf = ({ labels }: Readonly<Record<string, unknown>>) => (labels ?? []) as readonly string[]

/** What a model answers: a node's index, a label, or a whole sequence; undefined for an example that could not be encoded. */
export const answerOf = (
  kind: GraphKind,
  example: GraphExample,
  scores: readonly number[],
  modelOptions: Readonly<Record<string, unknown>>,
): GraphExample['target'] => (scores.length === 0 ? undefined : readings[kind].answerOf(scores, example, labelsOf(modelOptions)))

/**
 * Precision, recall and F1 per label, then their plain means over the labels that were expected or found (scikit-learn's macro average);
 * a label never found has precision 0, one never expected recall 0.
 */
export function judgeLabels(answers: readonly { expected: string; found: string | null }[]): Record<string, number> {
  const labels = sorted(answers.flatMap(({ expected, found }) => (found === null ? [expected] : [expected, found])))
  const share = (part: number, of: number) => (of === 0 ? 0 : part / of)
  const each = labels.map((label) => {
    const right = answers.filter(({ expected, found }) => expected === label && found === label).length
    const precision = share(right, answers.filter(({ found }) => found === label).length)
    const recall = share(right, answers.filter(({ expected }) => expected === label).length)
    return { precision, recall, f1: share(2 * precision * recall, precision + recall) }
  })
  const mean = (of: 'precision' | 'recall' | 'f1') => each.reduce((sum, one) => sum + one[of], 0) / each.length
  return { precision: mean('precision'), recall: mean('recall'), f1_score: mean('f1') }
}

const taskOf = (kind: GraphKind): LearningTask<GraphExample> => ({
  nameOf: ({ id }) => id,
  sizeOf: ({ nodeFeatures }) => nodeFeatures.length,
  groupOf: ({ group, id }) => group ?? id,
  digestOf: digestGraphExample,
  optionsOf: (examples) => ({ ...widthsOf(examples), ...readings[kind].optionsOf(examples) }),
  judge(examples, scores, modelOptions): Record<string, number> {
    const asked = [...examples.keys()].filter((i) => examples[i]!.target !== undefined)
    if (asked.length === 0) return {}
    const answers = asked.map((i) => {
      const answer = answerOf(kind, examples[i]!, scores[i]!, modelOptions)
      return { expected: String(examples[i]!.target), found: answer === undefined ? null : String(answer) }
    })
    const accuracy = answers.filter(({ expected, found }) => expected === found).length / answers.length
    return kind === 'graph' ? { accuracy, ...judgeLabels(answers) } : { accuracy }
  },
})

/** Graph examples: sized by nodes, each its own group unless it says otherwise, judged by accuracy (a sequence must be right as a whole). */
export const graphTasks: Readonly<Record<GraphKind, LearningTask<GraphExample>>> = {
  node: taskOf('node'),
  graph: taskOf('graph'),
  sequence: taskOf('sequence'),
}
