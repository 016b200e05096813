import type { z } from 'zod'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'

/** What a kind of dataset says of its rows: one row of the table in records/index.ts. */
export interface RecordKind {
  readonly description: string
  /** types alone: what the values should be like is the business of rules/ (an empty text is a row, and an error of the dataset) */
  readonly schema: z.ZodObject
  /** fields that say when a row was made, not what it is: no part of its hash */
  readonly times: readonly string[]
  /** fields that may hold an id; one that reads as a UUID was drawn at random and is no part of the hash */
  readonly ids: readonly string[]
  /** spellings of other tools brought into the schema's, before it is asked (default: none) */
  prepare?(value: Properties): Properties
  /** names of the label sets that its rows may have (default: none) */
  readonly labelSets?: readonly string[]
  /** what a model is to say: label set -> the labels of this row. Another set of them is another major version (default: none) */
  labels?(row: Properties): Readonly<Record<string, readonly string[]>>
  /** the text of a row, where it has one: near-duplicates, diversity and length look at it */
  text?(row: Properties): string
  /**
   * what makes a row the same as another one, for duplicates and conflicts, compared as it is; '' for rows that are never the same
   * (default: the text, of which near ones count too)
   */
  same?(row: Properties): string
  /** how a label is spelled in the row, replaced by another (default: labels cannot be mapped) */
  relabel?(row: Properties, labelSet: string, rename: (label: string) => string): Properties
}

export const isObject = (value: unknown): value is Properties => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The string members of these fields, each as a label set of its own. */
export function labelsOf(row: Properties, sets: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {}
  for (const set in sets) {
    const label = row[sets[set]!]
    if (typeof label === 'string' && label !== '') found[set] = [label]
  }
  return found
}

/** The row with the label in `field` renamed; the same row where nothing changes. */
export function relabelField(row: Properties, field: string | undefined, rename: (label: string) => string): Properties {
  const label = field === undefined ? undefined : row[field]
  if (typeof label !== 'string') return row
  const renamed = rename(label)
  return renamed === label ? row : { ...row, [field!]: renamed }
}

/** Throws BAD_INPUT unless rows of this kind may have labels of this set; `what` says who asks. */
export function assertLabelSet({ labelSets = [] }: RecordKind, set: string, what: string): void {
  if (labelSets.includes(set)) return
  const expected = labelSets.length > 0 ? `expected one of ${labelSets.join(', ')}` : 'but rows of this kind have no labels'
  throw new EspalierError('BAD_INPUT', `${what}: found the label set "${set.slice(0, 60)}", ${expected}`, {
    remedy: didYouMean(set, labelSets) ?? (labelSets.length > 0 ? 'Name one of these.' : 'Leave it out.'),
  })
}

/** What duplicates of rows of this kind are looked for in; '' where there is nothing to compare. */
export const samenessOf = (record: RecordKind, row: Properties): string => record.same?.(row) ?? record.text?.(row) ?? ''

/** From which similarity on rows of this kind are the same. */
export const samenessThreshold = (record: RecordKind, asked: number): number => (record.same ? 1 : asked)

export const textOf =
  (field: string) =>
  (row: Properties): string => {
    const text: JsonValue | undefined = row[field]
    return typeof text === 'string' ? text : ''
  }
