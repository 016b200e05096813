import { judgeAnswers, judgeLabels } from '../../evaluation/answers.js'
import type { AnswerKind } from '../../models/graphs/graph-answer.js'
import { digestGraphExample, type GraphExample } from '../../models/graphs/graph-example.js'
import type { LearningTask } from './learning-task.js'

const widthsOf = (examples: readonly GraphExample[]) => ({
  features: examples.find((e) => e.nodeFeatures.length > 0)?.nodeFeatures[0]?.length ?? 1,
  queryFeatures: examples.find((e) => e.query)?.query?.length ?? 0,
  edgeTypes: examples.reduce((most, e) => (e.edgeTypes ?? []).reduce((m, type) => Math.max(m, type + 1), most), 1),
})

const sorted = (labels: Iterable<string>) => [...new Set(labels)].sort()
const outputsOf = ({ target }: GraphExample): readonly (number | string)[] => (Array.isArray(target) ? target : [])

/** What the data decides of the options, besides the widths. */
const decidedBy: Record<AnswerKind, (examples: readonly GraphExample[]) => Record<string, unknown>> = {
  node: () => ({}),
  graph: (examples) => {
    const labels = sorted(examples.flatMap(({ target }) => (typeof target === 'string' ? [target] : [])))
    return labels.length > 0 ? { labels } : {}
  },
  sequence: (examples) => ({
    labels: sorted(examples.flatMap((e) => outputsOf(e).filter((output) => typeof output === 'string'))),
    maxOutputs: 1 + examples.reduce((most, e) => Math.max(most, outputsOf(e).length), 0),
  }),
}

const taskOf = (kind: AnswerKind): LearningTask<GraphExample> => ({
  nameOf: ({ id }) => id,
  sizeOf: ({ nodeFeatures }) => nodeFeatures.length,
  groupOf: ({ group, id }) => group ?? id,
  digestOf: digestGraphExample,
  optionsOf: (examples) => ({ ...widthsOf(examples), ...decidedBy[kind](examples) }),
  judge(examples, scores, modelOptions): Record<string, number> {
    const answers = judgeAnswers(kind, examples, scores, modelOptions)
    if (answers.length === 0) return {}
    const accuracy = answers.filter(({ expected, found }) => expected === found).length / answers.length
    return kind === 'graph' ? { accuracy, ...judgeLabels(answers) } : { accuracy }
  },
})

/** Graph examples: sized by nodes, each its own group unless it says otherwise, judged by accuracy (a sequence must be right as a whole). */
export const graphTasks: Readonly<Record<AnswerKind, LearningTask<GraphExample>>> = {
  node: taskOf('node'),
  graph: taskOf('graph'),
  sequence: taskOf('sequence'),
}
