import type { JsonValue, Properties } from '../vocabulary.js'
import type { TrainingEvaluation } from './training-results.js'

/** What an evaluation comes to as numbers by name, and the rest as details: the shape of a fact of training metrics. */
export interface ExportedMetrics {
  metrics: Record<string, number>
  details: Properties
}

const numbers = (values: Readonly<Record<string, number | null | undefined>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))

/** Metrics of the model under their own names; what was measured on held-out facts, levels and learning rate under theirs. */
export function exportedMetrics(evaluation: TrainingEvaluation): ExportedMetrics {
  const {
    model_metrics,
    training_quality,
    pattern_coverage,
    pattern_specific_metrics,
    intelligence_metrics,
    learning_rate,
    recommendations,
  } = evaluation
  const coverage = Object.entries(pattern_coverage).map(([family, { share }]) => [`coverage.${family}`, share])
  const measured = Object.entries(pattern_specific_metrics).map(([name, { value }]) => [name, value])
  const levels = (intelligence_metrics?.levels ?? []).map(({ level, score }) => [`level_${level}`, score?.value ?? null])
  const rate = learning_rate
    ? {
        patterns_per_epoch: learning_rate.patternsPerEpoch,
        convergence_rate: learning_rate.convergenceRate,
        adaptation_rate: learning_rate.adaptationRate,
      }
    : {}
  return {
    metrics: {
      ...numbers(model_metrics),
      ...numbers(Object.fromEntries([...coverage, ...measured, ...levels])),
      ...numbers({ intelligence_level: evaluation.intelligenceLevel, domain_expertise: intelligence_metrics?.domainExpertise }),
      ...numbers(rate),
    },
    details: {
      training_quality: training_quality as unknown as JsonValue,
      recommendations,
      checkpoint: evaluation.checkpoint as unknown as JsonValue,
    },
  }
}
