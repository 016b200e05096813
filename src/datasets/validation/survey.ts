import type { Properties } from '../../vocabulary.js'
import { type DatasetKind, recordKind } from '../records/index.js'
import { type RecordKind, samenessOf, samenessThreshold } from '../records/record-kind.js'
import { NearTexts } from '../similarity/near-texts.js'
import type { ValidationOptions } from './options.js'

/** One row as rules and metrics see it. It may not fit its kind (that is said elsewhere): look at types before use. */
export interface RowFacts {
  row: Properties
  /** from 1 */
  number: number
  /** of the file, where it is another number */
  line?: number | undefined
  /** null for kinds without text */
  text: string | null
  /** label set -> labels */
  labels: Readonly<Record<string, readonly string[]>>
}

/** Label sets of which a row has one label at most and which models learn to tell: agreement and balance are of these. */
const classSetsOf: Partial<Record<DatasetKind, readonly string[]>> = { 'labeled-text': ['intent', 'sentiment'], relation: ['relation'] }

/** What several rules and metrics want to know, gathered once. */
export class Survey {
  rows = 0
  readonly record: RecordKind
  readonly classSets: readonly string[]
  readonly requiredLabels: readonly string[]
  /** label set -> label -> rows */
  readonly labels = new Map<string, Map<string, number>>()
  /** near-duplicates of all rows, found after the last one; null for kinds without text */
  readonly texts: NearTexts | null

  constructor(
    readonly kind: DatasetKind,
    readonly options: ValidationOptions,
  ) {
    this.record = recordKind(kind)
    this.classSets = classSetsOf[kind] ?? []
    this.requiredLabels = options.requiredLabels ?? this.classSets
    this.texts = this.record.text
      ? new NearTexts({ threshold: samenessThreshold(this.record, options.similarity), labelSets: this.classSets })
      : null
  }

  /** Takes a row in, and says what it is. */
  add(row: Properties, line?: number): RowFacts {
    const number = ++this.rows
    const text = this.record.text?.(row) ?? null
    const labels = this.record.labels?.(row) ?? {}
    for (const set in labels) {
      let counts = this.labels.get(set)
      if (!counts) this.labels.set(set, (counts = new Map()))
      for (const label of labels[set]!) counts.set(label, (counts.get(label) ?? 0) + 1)
    }
    if (text !== null) this.texts!.add(samenessOf(this.record, row), (set) => labels[set]?.[0])
    return { row, number, line: line === number ? undefined : line, text, labels }
  }

  /** Rows by label of a set, most frequent first. */
  countsOf(set: string): [label: string, rows: number][] {
    return [...(this.labels.get(set) ?? [])].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  }
}
