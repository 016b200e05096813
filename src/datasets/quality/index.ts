import { accuracy } from './accuracy.js'
import { balance } from './balance.js'
import { completeness } from './completeness.js'
import { complexity } from './complexity.js'
import { consistency } from './consistency.js'
import { diversity } from './diversity.js'
import type { QualityMetric } from './metric.js'

/** Every dimension of quality with its weight in the whole; the weights of those that can be judged are scaled to sum to 1. */
export const qualityMetrics: readonly { metric: QualityMetric; weight: number }[] = [
  { metric: completeness, weight: 0.25 },
  { metric: consistency, weight: 0.2 },
  { metric: accuracy, weight: 0.2 },
  { metric: diversity, weight: 0.15 },
  { metric: balance, weight: 0.1 },
  { metric: complexity, weight: 0.1 },
]

/** What modules of the site have added (modules.ts). */
export const siteMetrics: { metric: QualityMetric; weight: number }[] = []
