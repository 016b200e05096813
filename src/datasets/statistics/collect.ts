import type { JsonValue, Properties } from '../../vocabulary.js'
import { recordKind } from '../records/index.js'
import { isObject } from '../records/record-kind.js'
import type { DatasetKind } from '../version.js'
import { FieldCollector, type FieldStatistics } from './field.js'
import { CoMoments } from './moments.js'
import { type ValueCount, ValueCounts } from './value-counts.js'

export interface Correlation {
  a: string
  b: string
  /** Pearson's, of the rows that have both; null where either never varies, or below three rows */
  value: number | null
  /** rows that have both */
  count: number
}

export interface DatasetStatistics {
  rows: number
  /** in the order in which they are first seen */
  fields: FieldStatistics[]
  /** fields that came after the first 500 and are not told of */
  fieldsLeftOut: number
  /** each pair of the first 32 fields with numbers */
  correlations: Correlation[]
  /** label set of the kind -> labels, most frequent first (at most 1,000 of a set) */
  labels: Record<string, ValueCount[]>
}

const maxFields = 500
const maxCorrelated = 32
const maxLabels = 1000
/** Objects within objects, at most: deeper ones are values. */
const maxDepth = 3

type Rows = Iterable<JsonValue> | AsyncIterable<JsonValue>

/**
 * Statistics of every field in one pass over the rows and in flat memory. What is exact and what is estimated is said beside each number.
 */
export async function collectStatistics(rows: Rows, kind: DatasetKind = 'tabular'): Promise<DatasetStatistics> {
  const collector = new StatisticsCollector(kind)
  for await (const row of rows) collector.add(row as Properties)
  return collector.statistics()
}

/** The same for a caller that has the rows stream by for another purpose. */
export class StatisticsCollector {
  private readonly fields = new Map<string, FieldCollector>()
  private readonly leftOut = new Set<string>()
  private readonly labels = new Map<string, ValueCounts>()
  private readonly pairs = new PairCollector()
  private readonly labelsOf
  private rows = 0

  constructor(kind: DatasetKind) {
    this.labelsOf = recordKind(kind).labels
  }

  add(row: Properties): void {
    this.rows++
    this.pairs.begin()
    this.addMembers('', row, 1)
    this.pairs.end()
    if (this.labelsOf) this.addLabels(this.labelsOf(row))
  }

  statistics(): DatasetStatistics {
    return {
      rows: this.rows,
      fields: [...this.fields].map(([name, field]) => field.statistics(name, this.rows)),
      fieldsLeftOut: this.leftOut.size,
      correlations: this.pairs.correlations(),
      labels: Object.fromEntries([...this.labels].map(([set, counts]) => [set, counts.top(maxLabels)])),
    }
  }

  private addMembers(prefix: string, object: Properties, depth: number): void {
    for (const name in object) {
      const value = object[name]!
      const path = prefix === '' ? name : `${prefix}.${name}`
      if (isObject(value) && depth < maxDepth) this.addMembers(path, value, depth + 1)
      else this.addValue(path, value)
    }
  }

  private addValue(path: string, value: JsonValue): void {
    let field = this.fields.get(path)
    if (!field) {
      if (this.fields.size >= maxFields) {
        if (this.leftOut.size < 10_000) this.leftOut.add(path)
        return
      }
      this.fields.set(path, (field = new FieldCollector()))
    }
    field.add(value)
    if (typeof value === 'number') this.pairs.add(path, value)
  }

  private addLabels(labels: Readonly<Record<string, readonly string[]>>): void {
    for (const set in labels) {
      let counts = this.labels.get(set)
      if (!counts) this.labels.set(set, (counts = new ValueCounts()))
      for (const label of labels[set]!) counts.add(label)
    }
  }
}

/** Co-moments of each pair of number fields, of the rows that have both. */
class PairCollector {
  private readonly names: string[] = []
  private readonly places = new Map<string, number>()
  private readonly pairs: CoMoments[][] = []
  /** the numbers of the row that is being read, by place; NaN: none */
  private current: number[] = []

  begin(): void {
    this.current.fill(Number.NaN)
  }

  add(name: string, value: number): void {
    let place = this.places.get(name)
    if (place === undefined) {
      if (this.names.length >= maxCorrelated) return
      place = this.names.push(name) - 1
      this.places.set(name, place)
      this.pairs.push(Array.from({ length: place }, () => new CoMoments()))
    }
    this.current[place] = value
  }

  end(): void {
    const { current, pairs } = this
    for (let b = 1; b < current.length; b++) {
      const y = current[b]!
      if (Number.isNaN(y)) continue
      for (let a = 0; a < b; a++) if (!Number.isNaN(current[a]!)) pairs[b]![a]!.add(current[a]!, y)
    }
  }

  correlations(): Correlation[] {
    return this.pairs.flatMap((row, b) =>
      row.map(({ correlation, count }, a) => ({ a: this.names[a]!, b: this.names[b]!, value: correlation, count })),
    )
  }
}
