import type { Estimate } from '../statistics/intervals.js'
import { type RankingMeasure, type RankingReport, rankingMeasures } from './ranking.js'

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
