import type { QualityReport } from '../quality/report.js'
import type { DatasetStatistics } from './statistics.js'

interface Findings {
  statistics: DatasetStatistics
  quality: QualityReport
  /** rule -> issues */
  counts: Readonly<Record<string, number>>
}

/** When to recommend what. */
const advice: readonly { when: (f: Findings) => unknown; say: string | ((f: Findings) => string) }[] = [
  {
    when: ({ statistics: { labels } }) => labels['intent'] && labels['intent'].distinct < 3,
    say: 'There are fewer than three intents: collect examples of what else users want, "none of these" included.',
  },
  {
    when: ({ counts }) => counts['class-imbalance'],
    say: 'The classes are imbalanced: balance the dataset by label, or train with class weights.',
  },
  { when: ({ counts }) => counts['rare-classes'], say: 'Some classes are rare: collect more of them, or merge them into others.' },
  {
    when: ({ statistics: { textLength } }) => textLength && textLength.mean < 20,
    say: ({ statistics }) =>
      `Texts are short (${statistics.textLength!.mean.toFixed(0)} characters on average): add context or longer examples.`,
  },
  {
    when: ({ statistics: { textLength } }) => textLength && textLength.mean > 1000,
    say: ({ statistics }) =>
      `Texts are long (${statistics.textLength!.mean.toFixed(0)} characters on average): split them, or label the passages that matter.`,
  },
  {
    when: ({ statistics: { meanConfidence } }) => meanConfidence !== null && meanConfidence < 0.7,
    say: ({ statistics }) =>
      `The mean confidence is ${statistics.meanConfidence!.toFixed(2)}: have the least confident rows labeled again.`,
  },
  {
    when: ({ statistics: { nearDuplicates, rows } }) => nearDuplicates > 0.1 * rows,
    say: ({ statistics: { nearDuplicates, rows } }) =>
      `${Math.round((100 * nearDuplicates) / rows)} % of the texts nearly repeat an earlier one: remove duplicates before splitting.`,
  },
  {
    when: ({ quality }) => (quality.dimensions['accuracy']?.score ?? 1) < 0.95,
    say: ({ quality }) =>
      `About ${Math.round(100 * (1 - quality.dimensions['accuracy']!.score!))} % of the labels look wrong: review those that other rows speak against.`,
  },
]

export const recommend = (findings: Findings): string[] =>
  advice.filter(({ when }) => when(findings)).map(({ say }) => (typeof say === 'string' ? say : say(findings)))
