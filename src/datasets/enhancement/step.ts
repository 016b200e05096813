import type { JsonValue, Properties } from '../../vocabulary.js'
import type { DatasetKind } from '../records/index.js'
import type { EnhancementOptions } from './options.js'

/** A row on its way through the steps. */
export interface NumberedRow {
  /** in the version that is enhanced, from 1 */
  number: number
  row: Properties
}

export interface Change {
  step: string
  /** in the version that is enhanced, from 1 */
  row: number
  field: string
  before: JsonValue
  after: JsonValue
  why: string
}

export interface Dropped {
  step: string
  row: number
  /** id or content hash */
  key: string
  why: string
}

/** Where a step says what it does. */
export interface StepReport {
  changed(row: number, field: string, before: JsonValue, after: JsonValue, why: string): void
  dropped(row: NumberedRow, why: string): void
  /** a copy that was put beside its row */
  added(row: NumberedRow): void
}

/** What becomes of a row: the rows that stand in its place. */
export type Apply = (row: NumberedRow, report: StepReport) => NumberedRow[]

/** A step at work on one dataset. */
export interface StepRun {
  /** looks at all rows first, as the steps before leave them */
  plan?(rows: AsyncIterable<NumberedRow>): Promise<void>
  /** starts a pass; several passes do the very same */
  open(): Apply
  /** numbers of the plan, for the report */
  details?(): Properties
}

/** One way to make a dataset better; a file each, named in enhancement/index.ts. */
export interface Step {
  name: 'clean' | 'spans' | 'confidence' | 'duplicates' | 'balance' | 'enrich'
  /** null where it has nothing to do in this kind, or was not asked for */
  start(options: EnhancementOptions, kind: DatasetKind): StepRun | null
}
