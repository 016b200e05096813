import { type AnswerKind, answerOf } from '../models/graphs/graph-answer.js'
import type { GraphExample, GraphTarget } from '../models/graphs/graph-example.js'
import { bootstrapMeans, type Estimate } from '../statistics/intervals.js'
import { EspalierError } from '../util/error.js'
import { byGroup, type EvaluationOptions } from './ranking.js'

/** What was expected of an example and what was found; null where nothing could be answered. */
export interface Judged {
  expected: string
  found: string | null
}

/**
 * Precision, recall and F1 per label, then their plain means over the labels that were expected or found (scikit-learn's macro average);
 * a label never found has precision 0, one never expected recall 0.
 */
export function judgeLabels(answers: readonly Judged[]): Record<'precision' | 'recall' | 'f1_score', number> {
  const labels = [...new Set(answers.flatMap(({ expected, found }) => (found === null ? [expected] : [expected, found])))].sort()
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

/** Answers as text, sequences item by item: equal texts are equal answers. */
const textOf = (target: GraphTarget): string => (typeof target === 'object' ? JSON.stringify(target) : String(target))

/** What scores answer beside what was expected, for the examples that have a target. */
export function judgeAnswers(
  kind: AnswerKind,
  examples: readonly GraphExample[],
  scores: readonly (readonly number[])[],
  modelOptions: Readonly<Record<string, unknown>>,
): Judged[] {
  return examples.flatMap((example, i) => {
    if (example.target === undefined) return []
    const answer = answerOf(kind, example, scores[i]!, modelOptions)
    return [{ expected: textOf(example.target), found: answer === undefined ? null : textOf(answer) }]
  })
}

/** How right answers are: a row per example with 1 where it is right (a baseline may count in between), and the mean with its interval. */
export interface AnswerReport {
  accuracy: Estimate
  /** macro averages over labels; only of models that classify */
  labels?: ReturnType<typeof judgeLabels>
  /** examples that could not be answered, because of labels, edge types or widths that the model does not know: they count as wrong */
  unanswered: number
  perExample: number[]
}

type Options = EvaluationOptions & { groups: readonly (string | undefined)[] }

/** Mean of a value per example with a bootstrap interval over examples, or over whole groups. */
function estimate(values: readonly number[], { rng, unit = 'query', groups, ...options }: Options): Estimate {
  const rows = values.map((value, i) => ({ value, group: groups[i] }))
  const clusters = unit === 'query' ? values.map((value) => [[value]]) : [...byGroup(rows).values()].map((own) => own.map((r) => [r.value]))
  const [found] = bootstrapMeans(clusters, rng, options) ?? []
  if (found) return found
  throw new EspalierError('BAD_INPUT', 'evaluate: no example can be judged, expected at least one with a target')
}

export const reportAnswers = (kind: AnswerKind, judged: readonly Judged[], options: Options): AnswerReport => {
  const perExample = judged.map(({ expected, found }) => (expected === found ? 1 : 0))
  return {
    accuracy: estimate(perExample, options),
    ...(kind === 'graph' ? { labels: judgeLabels(judged) } : {}),
    unanswered: judged.filter(({ found }) => found === null).length,
    perExample,
  }
}

/** What a model is measured against: right by chance, and the answer that was commonest among those learned from. */
export interface AnswerBaselines {
  random: number[]
  commonest: number[]
}

/** Baselines for examples that have targets, knowing the targets of others. */
export function baselineAnswers(kind: AnswerKind, examples: readonly GraphExample[], known: readonly GraphExample[]): AnswerBaselines {
  const counts = new Map<string, number>()
  for (const { target } of known) if (target !== undefined) counts.set(textOf(target), (counts.get(textOf(target)) ?? 0) + 1)
  const [commonest] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0] ?? []
  const items = new Set(known.flatMap(({ target }) => (typeof target === 'object' ? target : []).map(String)))
  const chance = ({ nodeFeatures, target }: GraphExample): number => {
    if (kind === 'graph') return 1 / Math.max(1, counts.size)
    if (kind === 'node') return 1 / nodeFeatures.length
    const outputs = target as readonly (number | string)[]
    const choices = 1 + (outputs.some((output) => typeof output === 'string') ? items.size : nodeFeatures.length)
    return choices ** -(outputs.length + 1)
  }
  return {
    random: examples.map(chance),
    commonest: examples.map(({ target }) => (textOf(target!) === commonest ? 1 : 0)),
  }
}

export interface AnswerStudy {
  baselines: Record<keyof AnswerBaselines, Estimate>
  /** the model less each baseline, on the same examples */
  differences: Record<keyof AnswerBaselines, Estimate>
  best: keyof AnswerBaselines
  /** the model beats the better baseline beyond the interval of the difference */
  isBetter: boolean
}

/** A model beside the baselines, with paired bootstrap intervals. */
export function studyAnswers({ perExample }: AnswerReport, baselines: AnswerBaselines, { rng, ...options }: Options): AnswerStudy {
  const names = ['random', 'commonest'] as const
  const each = (make: (name: keyof AnswerBaselines) => Estimate) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<keyof AnswerBaselines, Estimate>
  const own = each((name) => estimate(baselines[name], { ...options, rng: rng.fork(name) }))
  const differences = each((name) =>
    estimate(
      baselines[name].map((value, i) => perExample[i]! - value),
      { ...options, rng: rng.fork(`less ${name}`) },
    ),
  )
  const best = own.random.value > own.commonest.value ? 'random' : 'commonest'
  return { baselines: own, differences, best, isBetter: differences[best].low > 0 }
}
