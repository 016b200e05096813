import type { Problem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import { qualityMetrics, siteMetrics } from '../quality/index.js'
import type { Dimension, QualityMetric } from '../quality/metric.js'
import { type QualityReport, qualityReport } from '../quality/report.js'
import { type DatasetKind, recordKind } from '../records/index.js'
import { parseRow } from '../records/parse-row.js'
import { assertLabelSet, isObject } from '../records/record-kind.js'
import { rules, siteRules } from '../rules/index.js'
import type { Issue, ReportIssue, Rule } from '../rules/rule.js'
import type { ValidationOptions } from './options.js'
import { recommend } from './recommendations.js'
import { type ScoreParts, scorings } from './scores.js'
import { type DatasetStatistics, StatisticsGatherer } from './statistics.js'
import { Survey } from './survey.js'

/** A row to be judged: a stored one, or a value of a file that may not fit its kind at all. */
export interface RowToValidate {
  row: unknown
  /** of the file */
  line?: number
  /** what was wrong with it before it was a value */
  problems?: readonly Problem[]
}

export interface ValidationReport {
  /** rows, and no error among them */
  passed: boolean
  total: number
  /** rows without an error */
  valid: number
  invalid: number
  /** by the scoring that was asked for */
  qualityScore: number
  scores: { v2: number; classic: number }
  errors: number
  warnings: number
  infos: number
  /** rule -> issues found, listed or not */
  counts: Record<string, number>
  /** the first of them, each rule having its share */
  issues: Issue[]
  requiredLabels: readonly string[]
  statistics: DatasetStatistics
  quality: QualityReport
  recommendations: string[]
}

/** What a site adds to the rules and dimensions of its own (see modules.ts). */
export interface ValidationExtras {
  rules?: readonly Rule[]
  metrics?: readonly { metric: QualityMetric; weight: number }[]
}

type Rows = Iterable<RowToValidate> | AsyncIterable<RowToValidate>

/**
 * Judges rows as they stream by: every rule and every dimension of quality in one pass, in memory that grows by some 200 bytes a row
 * (near-duplicates are looked for among all of them). Collects problems, never throws for them.
 */
export async function validateRows(
  rows: Rows,
  kind: DatasetKind,
  options: ValidationOptions,
  extras: ValidationExtras = {},
): Promise<ValidationReport> {
  if (recordKind(kind).labelSets) for (const set of options.requiredLabels ?? []) assertLabelSet(recordKind(kind), set, 'requiredLabels')
  const survey = new Survey(kind, options)
  const findings = new Findings(options.maxIssues)
  const statistics = new StatisticsGatherer()
  const types = findings.reporter({ name: 'types', severity: 'error' })
  const runs = [...rules, ...siteRules, ...(extras.rules ?? [])].flatMap((rule) => rule.start(survey, findings.reporter(rule)) ?? [])
  const metrics = [...qualityMetrics, ...siteMetrics, ...(extras.metrics ?? [])].map(({ metric, weight }) => ({
    name: metric.name,
    weight,
    run: metric.start(survey),
  }))
  let valid = 0
  for await (const { row, line, problems = [] } of rows) {
    findings.beginRow()
    const at = { row: survey.rows + 1, line: line === survey.rows + 1 ? undefined : line }
    for (const { code, found, expected, severity, suggestion } of problems)
      types(at, describeIssue(code, found, expected), { severity, ...(suggestion && { suggestion }) })
    // a line that is no value is told of once: what such a row lacks besides, nobody wants to know
    const isBroken = row === undefined && findings.rowHasError
    const facts = survey.add(isBroken ? {} : typed(kind, row, at, types), line)
    if (!isBroken) {
      for (const run of runs) run.row?.(facts)
      statistics.add(facts)
    }
    if (!findings.rowHasError) valid++
    for (const { run } of metrics) run.row?.(facts, !findings.rowHasError)
  }
  for (const run of runs) run.end?.()
  const judged: { name: string; weight: number; dimension: Dimension }[] = []
  for (const { name, weight, run } of metrics) judged.push({ name, weight, dimension: await run.end() })
  const quality = qualityReport(survey.rows, valid, judged)
  return buildReport(survey, findings, statistics.statistics(survey), quality, valid)
}

/** The row as its kind has it; as it came where it does not fit, for the other rules to look at what is there. */
function typed(kind: DatasetKind, row: unknown, at: { row: number; line: number | undefined }, report: ReportIssue): Properties {
  const parsed = parseRow(kind, row, (field, code, found, expected, more = {}) =>
    report({ ...at, field }, describeIssue(code, shown(found), expected), {
      ...(more.suggestion && { suggestion: more.suggestion }),
      ...(more.severity && { severity: more.severity }),
    }),
  )
  return parsed ?? (isObject(row) ? row : {})
}

const describeIssue = (code: string, found: string, expected: string): string =>
  `${code.replaceAll('-', ' ')}: found ${found}, expected ${expected}`

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function buildReport(
  survey: Survey,
  findings: Findings,
  statistics: DatasetStatistics,
  quality: QualityReport,
  valid: number,
): ValidationReport {
  const { error: errors, warning: warnings, info: infos } = findings.bySeverity
  const labels = ['intent', 'sentiment'].reduce((sum, set) => sum + (survey.labels.get(set)?.size ?? 0), 0)
  const parts: ScoreParts = {
    ...{ rows: survey.rows, validRows: valid, errors, warnings, labels },
    ...{ meanConfidence: statistics.meanConfidence, overall: quality.overall },
  }
  const scores = { v2: scorings.v2(parts), classic: scorings.classic(parts) }
  const counts = Object.fromEntries(findings.counts)
  return {
    passed: survey.rows > 0 && errors === 0,
    total: survey.rows,
    valid,
    invalid: survey.rows - valid,
    qualityScore: scores[survey.options.scoring],
    scores,
    errors,
    warnings,
    infos,
    counts,
    issues: findings.issues(),
    requiredLabels: survey.requiredLabels,
    statistics,
    quality,
    recommendations: recommend({ statistics, quality, counts }),
  }
}

/** Issues in bounded memory: all are counted; of each rule as many are kept as the whole may have, and the list is dealt out at the end. */
class Findings {
  readonly counts = new Map<string, number>()
  readonly bySeverity: Record<Issue['severity'], number> = { error: 0, warning: 0, info: 0 }
  private readonly kept = new Map<string, Issue[]>()
  rowHasError = false

  constructor(private readonly most: number) {}

  beginRow(): void {
    this.rowHasError = false
  }

  reporter({ name, severity: usual }: Pick<Rule, 'name' | 'severity'>): ReportIssue {
    const kept: Issue[] = []
    this.kept.set(name, kept)
    return ({ row = null, line, field = '' }, message, { suggestion, fixable = false, severity = usual } = {}) => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      this.bySeverity[severity]++
      if (severity === 'error') this.rowHasError = true
      if (kept.length < this.most)
        kept.push({
          ...{ rule: name, severity, row },
          ...(line !== undefined && { line }),
          ...{ field, message },
          ...(suggestion && { suggestion }),
          fixable,
        })
    }
  }

  /** The first issues of every rule, as many as fit, errors before warnings, then by row. */
  issues(): Issue[] {
    const lists = [...this.kept.values()]
    const chosen: Issue[] = []
    for (let at = 0; chosen.length < this.most && lists.some((list) => at < list.length); at++)
      for (const list of lists) if (at < list.length && chosen.length < this.most) chosen.push(list[at]!)
    const rank = { error: 0, warning: 1, info: 2 }
    return chosen.sort((a, b) => rank[a.severity] - rank[b.severity] || (a.row ?? Infinity) - (b.row ?? Infinity) || 0)
  }
}
