import type { TestCase } from '../datasets/cases/case.js'
import { type Estimate, wilsonInterval } from '../statistics/intervals.js'
import { type LearningRate, learningRate } from '../statistics/learning-rate.js'
import { type Answers, type IntelligenceReport, passMark, scoreLevels } from './levels/score.js'

/** Newest value of each metric of a training, by name: training_loss, validation_loss, accuracy, hits_at_1, mrr, … */
export type ModelMetrics = Readonly<Record<string, number>>

/** How much of what there is a pattern says something of. */
export interface Coverage {
  covered: number
  of: number
}

/** What a training was, beside its metrics. */
export interface TrainingContext {
  /** patterns that are right after each epoch: of a ranker the held-out queries whose answer came first */
  patternCounts?: readonly number[]
  /** family of patterns -> how much of the catalog it covers */
  coverage?: Readonly<Record<string, Coverage>>
  /** examples that were learned from, and those held out */
  trainingExamples?: number
  validationExamples?: number
  /** forecasts of change that were scored on what came later: right ones of all */
  forecasts?: { correct: number; asked: number; nothingCorrect?: number } | null
  /** whether test cases are scored by level (default true) */
  enableIntelligenceMetrics?: boolean
}

/** The checkpoint whose weights are judged. */
export interface JudgedCheckpoint {
  runId: string
  step: number
  epoch?: number
  blob?: string
}

export const qualities = ['excellent', 'good', 'fair', 'poor'] as const
export type Quality = (typeof qualities)[number]

/** Right answers of all that were asked, on facts that were held out, beside what no learning scores; null with the reason where none was asked. */
export type Measured = (Estimate & { correct: number; baselines: Record<string, number> }) | { value: null; reason: string }

export interface TrainingEvaluation {
  model_metrics: Record<string, number | null>
  training_quality: {
    /** of the loss that is told: on held-out examples, else on those of the training */
    loss_quality: Quality | null
    loss: { name: string; value: number } | null
    accuracy_quality: Quality | null
    accuracy: { name: string; value: number } | null
    /** the worse of the two */
    overall: Quality | null
  }
  pattern_coverage: Record<string, Coverage & { share: number | null }>
  pattern_specific_metrics: { column_type_accuracy: Measured; relationship_accuracy: Measured; temporal_accuracy: Measured }
  intelligence_metrics: IntelligenceReport | null
  intelligenceLevel: number | null
  learning_rate: LearningRate | null
  recommendations: string[]
  checkpoint: JudgedCheckpoint | null
}

/** From best to worst, what a loss stays below and an accuracy goes beyond. */
const lossBounds: readonly [number, Quality][] = [
  [0.1, 'excellent'],
  [0.3, 'good'],
  [0.5, 'fair'],
]
const accuracyBounds: readonly [number, Quality][] = [
  [0.9, 'excellent'],
  [0.7, 'good'],
  [0.5, 'fair'],
]

export const lossQuality = (loss: number): Quality => lossBounds.find(([bound]) => loss < bound)?.[1] ?? 'poor'
export const accuracyQuality = (accuracy: number): Quality => accuracyBounds.find(([bound]) => accuracy > bound)?.[1] ?? 'poor'

/** The first of these metrics that was measured: what is measured on held-out examples goes before what is not. */
function firstOf(metrics: ModelMetrics, names: readonly string[]): { name: string; value: number } | null {
  const name = names.find((each) => Object.hasOwn(metrics, each) && Number.isFinite(metrics[each]))
  return name === undefined ? null : { name, value: metrics[name]! }
}

function trainingQuality(metrics: ModelMetrics): TrainingEvaluation['training_quality'] {
  const loss = firstOf(metrics, ['validation_loss', 'best_loss', 'training_loss', 'loss'])
  // the accuracy of a ranker is how often what it puts first is right
  const accuracy = firstOf(metrics, ['accuracy', 'hits_at_1', 'exact_match'])
  const told = [loss ? lossQuality(loss.value) : null, accuracy ? accuracyQuality(accuracy.value) : null]
  const worst = Math.max(...told.map((quality) => (quality ? qualities.indexOf(quality) : -1)))
  return { loss_quality: told[0]!, loss, accuracy_quality: told[1]!, accuracy, overall: qualities[worst] ?? null }
}

function measure(cases: readonly TestCase[], answers: Answers, what: string): Measured {
  const correct = cases.filter(({ id, expected }) => Object.hasOwn(answers, id) && answers[id] === expected).length
  const share = wilsonInterval(correct, cases.length)
  const mean = (value: (one: TestCase) => number) => cases.reduce((sum, one) => sum + value(one), 0) / cases.length
  const baselines = () => ({ majority: mean((one) => Number(one.majority === one.expected)), random: mean((one) => 1 / one.choices) })
  return share ? { ...share, correct, baselines: baselines() } : { value: null, reason: `no held-out ${what} was asked` }
}

function patternMetrics(
  cases: readonly TestCase[],
  answers: Answers,
  context: TrainingContext,
): TrainingEvaluation['pattern_specific_metrics'] {
  const asking = (ask: TestCase['question']['ask']) => cases.filter((one) => one.question.ask === ask && one.level < 4)
  return {
    column_type_accuracy: measure(asking('column-type'), answers, 'column type'),
    relationship_accuracy: measure(asking('two-hops'), answers, 'relationship'),
    temporal_accuracy: measureForecasts(context.forecasts ?? null),
  }
}

/** Forecasts beside saying that nothing ever changes, which is right most of the time. */
function measureForecasts(forecasts: NonNullable<TrainingContext['forecasts']> | null): Measured {
  const share = forecasts && wilsonInterval(forecasts.correct, forecasts.asked)
  if (!share) return { value: null, reason: 'no forecast could be held against what came later' }
  const { correct, asked, nothingCorrect } = forecasts
  return { ...share, correct, baselines: nothingCorrect === undefined ? {} : { nothing_changes: nothingCorrect / asked } }
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`

type Findings = Omit<TrainingEvaluation, 'recommendations' | 'checkpoint' | 'model_metrics'> & {
  metrics: ModelMetrics
  context: TrainingContext
}

/** What is found wanting -> what to do about it; each looks at one thing. */
const advice: readonly ((found: Findings) => string | null)[] = [
  ({ metrics: { training_loss: training, validation_loss: validation } }) =>
    training !== undefined && validation !== undefined && validation > 1.5 * training && validation - training > 0.1
      ? `The loss on held-out examples (${validation.toFixed(3)}) is far above that of the training (${training.toFixed(3)}): train for fewer epochs, or add data, weight decay or dropout.`
      : null,
  ({ training_quality: { loss, loss_quality } }) =>
    loss && loss_quality === 'poor'
      ? `${loss.name} is ${loss.value.toFixed(3)}: train longer, or try another learning rate or a larger network.`
      : null,
  ({ training_quality: { accuracy, accuracy_quality } }) =>
    accuracy && accuracy_quality === 'poor'
      ? `${accuracy.name} is ${accuracy.value.toFixed(3)} on what was held out: more links to learn from will help more than more epochs.`
      : null,
  ({ training_quality: { accuracy }, context: { validationExamples } }) =>
    validationExamples === 0 || !accuracy
      ? 'Nothing was held out to judge the model by: ingest a second database, or split by time.'
      : null,
  ({ metrics }) => {
    const rules = Object.entries(metrics).filter(([name]) => /^baseline_.*_mrr$/.test(name))
    const [name, best] = rules.sort((a, b) => b[1] - a[1])[0] ?? []
    if (best === undefined || metrics['mrr'] === undefined || metrics['mrr'] > best) return null
    return `The model (MRR ${metrics['mrr'].toFixed(3)}) does no better than the rule ${name!.slice('baseline_'.length, -'_mrr'.length)} (${best.toFixed(3)}): train longer, or use the rule.`
  },
  ({ context: { validationExamples = 0 } }) =>
    validationExamples > 0 && validationExamples < 30
      ? `Only ${validationExamples} held-out examples: differences of a few percent say nothing yet.`
      : null,
  ({ pattern_coverage }) => {
    const low = Object.entries(pattern_coverage).filter(([, { share }]) => share !== null && share < 0.5)
    return low.length > 0
      ? `Patterns cover little of ${low.map(([family, { share }]) => `${family} (${percent(share!)})`).join(', ')}: ingest more of it, or more of its history.`
      : null
  },
  ({ intelligence_metrics: report }) => {
    const next = report?.levels.find((level) => !level.isReached)
    if (!next) return null
    if (next.score === null) return `Level ${next.level} (${next.name}) could not be asked: the catalog has nothing to ask it of.`
    return `Level ${next.level} (${next.name}) is at ${percent(next.score.value)} of ${next.asked}, below ${percent(passMark)}: levels above do not count before it does.`
  },
  ({ learning_rate: rate }) =>
    rate?.hasDisjointWindows && (rate.convergenceRate ?? 1) < 0.5 ? 'It was still learning fast when it ended: give it more epochs.' : null,
]

/**
 * Judges a training: its losses and accuracies by fixed bounds, how much its patterns cover, how right they are on held-out facts, the
 * domain levels it reaches, how fast it learned, and what to do next. `predictions` are the answers to `testCases` by case id; without cases what
 * they measure is null with the reason, never zero or one.
 */
export function evaluateTrainingResults(
  modelMetrics: ModelMetrics,
  trainingContext: TrainingContext = {},
  checkpoint: JudgedCheckpoint | null = null,
  predictions: Answers = {},
  testCases: readonly TestCase[] = [],
): TrainingEvaluation {
  const { patternCounts, coverage = {}, enableIntelligenceMetrics = true } = trainingContext
  const intelligence = enableIntelligenceMetrics ? scoreLevels(testCases, predictions) : null
  const found = {
    training_quality: trainingQuality(modelMetrics),
    pattern_coverage: Object.fromEntries(
      Object.entries(coverage).map(([family, { covered, of }]) => [family, { covered, of, share: of > 0 ? covered / of : null }]),
    ),
    pattern_specific_metrics: patternMetrics(testCases, predictions, trainingContext),
    intelligence_metrics: intelligence,
    intelligenceLevel: intelligence?.intelligenceLevel ?? null,
    learning_rate: patternCounts ? learningRate(patternCounts) : null,
  }
  const all: Findings = { ...found, metrics: modelMetrics, context: trainingContext }
  return {
    model_metrics: Object.fromEntries(Object.entries(modelMetrics).map(([name, value]) => [name, Number.isFinite(value) ? value : null])),
    ...found,
    recommendations: advice.flatMap((look) => look(all) ?? []),
    checkpoint,
  }
}
