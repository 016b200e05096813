import type { Problem } from '../../util/problem.js'
import type { RowFacts, Survey } from '../validation/survey.js'

/** What a rule found. */
export interface Issue {
  rule: string
  severity: Problem['severity']
  /** from 1; null where the dataset as a whole is meant */
  row: number | null
  /** of the file that it was read from, where it is not the row's number */
  line?: number
  /** `expected_entities[0]`; '' where no one field is meant */
  field: string
  message: string
  suggestion?: string
  /** can an enhancement step mend it? */
  fixable: boolean
}

export type ReportIssue = (
  at: { row?: number | null; line?: number | undefined; field?: string },
  message: string,
  more?: { suggestion?: string; fixable?: boolean; severity?: Problem['severity'] },
) => void

/** A rule at work on one dataset. */
export interface RuleRun {
  row?(facts: RowFacts): void
  /** after the last row: the survey is then whole */
  end?(): void
}

/** One thing that a dataset is held to; a file each, named in rules/index.ts. Problems are reported, never thrown. */
export interface Rule {
  name: string
  severity: Problem['severity']
  description: string
  /** null where the rule has nothing to look at in this kind */
  start(survey: Survey, report: ReportIssue): RuleRun | null
}
