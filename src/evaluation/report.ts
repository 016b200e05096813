import type { Estimate } from '../statistics/intervals.js'
import type { AnswerReport, AnswerStudy } from './answers.js'
import { type RankingMeasure, type RankingReport, rankingMeasures } from './ranking.js'
import { type Difference, isBeyond, type Study } from './study.js'

const titles: Record<RankingMeasure, string> = { mrr: 'MRR', hits1: 'Hits@1', hits3: 'Hits@3', hits10: 'Hits@10', ndcg10: 'NDCG@10' }
const cell = ({ value, low, high }: Estimate) => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`

/** Rows of text in columns: the first to the left, all others to the right, two spaces between. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)))
  const pad = (text: string, c: number) => (c === 0 ? text.padEnd(widths[c]!) : text.padStart(widths[c]!))
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** Models and baselines beside each other as a table for people: a line each, every number with its interval, n, and how many candidates. */
export function printRankingReports(reports: Readonly<Record<string, RankingReport>>): string {
  const head = ['ranker', 'n', 'candidates', ...rankingMeasures.map((m) => titles[m])]
  const rows = Object.entries(reports).map(([name, report]) => [
    name,
    String(report.n),
    report.candidates.toFixed(1),
    ...rankingMeasures.map((measure) => cell(report[measure])),
  ])
  return align([head, ...rows])
}

/** The numbers alone, for storing with a run or an artifact: `{ mrr: { value, low, high, n }, … }` and the counts. */
export const summarizeRanking = ({ perQuery: _, ...report }: RankingReport): Omit<RankingReport, 'perQuery'> => report

const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`
const difference = ({ value, low, high }: Estimate) => `${signed(value)} [${signed(low)}, ${signed(high)}]`

/** The model less each baseline in MRR, and whether it beats the strongest beyond the interval, as lines for people. */
export function printStudy({ differences, best, givenRule }: Study): string {
  const head = ['MRR less that of', 'resampling queries', 'resampling groups']
  const rows = differences.map((d) => [d.baseline, difference(d.byQuery), d.byGroup ? difference(d.byGroup) : 'too few groups'])
  const verdict = (d: Difference) => `the model ${isBeyond(d) ? 'beats' : 'does not beat'} it beyond the interval`
  const lines = [align([head, ...rows]), `strongest baseline: ${best.baseline}; ${verdict(best)}`]
  if (givenRule) lines.push(`the rule that is one of the model's own numbers (${givenRule.baseline}): ${verdict(givenRule)}`)
  return lines.join('\n')
}

/** A model's answers beside the baselines, as lines for people. */
export function printAnswers(name: string, { accuracy, labels, unanswered }: Omit<AnswerReport, 'perExample'>, study: AnswerStudy): string {
  const { baselines, differences, best, isBetter } = study
  const head = ['model', 'n', 'accuracy', 'model less it']
  const rows = Object.entries(baselines).map(([baseline, own]) => [
    baseline === 'commonest' ? 'commonest answer' : baseline,
    String(own.n),
    cell(own),
    difference(differences[baseline as keyof typeof differences]),
  ])
  const lines = [align([head, [name, String(accuracy.n), cell(accuracy), ''], ...rows])]
  if (labels)
    lines.push(
      `over labels: ${Object.entries(labels)
        .map(([of, value]) => `${of} ${value.toFixed(3)}`)
        .join(', ')}`,
    )
  if (unanswered > 0) lines.push(`${unanswered} could not be answered and count as wrong`)
  lines.push(`better baseline: ${best}; the model ${isBetter ? 'beats' : 'does not beat'} it beyond the interval`)
  return lines.join('\n')
}
