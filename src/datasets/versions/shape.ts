import type { JsonValue, Properties } from '../../vocabulary.js'
import { type DatasetKind, recordKind } from '../records/index.js'
import { isObject } from '../records/record-kind.js'

/** What rows look like as a whole. Versions of other shapes are other major versions. */
export interface Shape {
  /** label set -> its labels, sorted; `["*"]` where there are too many to be a set */
  labels?: Record<string, string[]>
  /** column -> the type of its values, of tables alone */
  columns?: Record<string, ColumnType>
}

/** `empty`: nothing but nulls so far; `mixed`: values of several types */
export type ColumnType = 'text' | 'number' | 'boolean' | 'empty' | 'mixed'

/** Beyond this many labels a set is open: free text, not classes. */
const mostLabels = 10_000

const typeOf = (value: JsonValue): ColumnType =>
  value === null
    ? 'empty'
    : typeof value === 'string'
      ? 'text'
      : typeof value === 'number'
        ? 'number'
        : typeof value === 'boolean'
          ? 'boolean'
          : 'mixed'

const join = (a: ColumnType | undefined, b: ColumnType): ColumnType =>
  a === undefined || a === 'empty' || a === b ? b : b === 'empty' ? a : 'mixed'

/** Gathers the shape of rows that come one by one. */
export class ShapeGatherer {
  private readonly sets = new Map<string, Set<string>>()
  private readonly columns = new Map<string, ColumnType>()
  private readonly labelsOf: ((row: Properties) => Readonly<Record<string, readonly string[]>>) | undefined
  private readonly isTable: boolean

  constructor(kind: DatasetKind) {
    this.labelsOf = recordKind(kind).labels
    this.isTable = kind === 'tabular'
  }

  add(row: JsonValue): void {
    if (!isObject(row)) return
    if (this.isTable) for (const column in row) this.columns.set(column, join(this.columns.get(column), typeOf(row[column]!)))
    const labels = this.labelsOf?.(row)
    for (const set in labels) {
      let known = this.sets.get(set)
      if (!known) this.sets.set(set, (known = new Set()))
      for (const label of labels[set]!) if (known.size <= mostLabels) known.add(label)
    }
  }

  shape(): Shape {
    const labels = [...this.sets].map(([set, known]) => [set, known.size > mostLabels ? ['*'] : [...known].sort()] as const)
    return {
      ...(labels.length > 0 && { labels: Object.fromEntries(labels.sort(([a], [b]) => (a < b ? -1 : 1))) }),
      ...(this.columns.size > 0 && { columns: Object.fromEntries([...this.columns].sort(([a], [b]) => (a < b ? -1 : 1))) }),
    }
  }
}

/** What another shape is made of, for people: `intent: + refund, - greet`; nothing where the shapes are equal. */
export function shapeChanges(before: Shape, after: Shape): string[] {
  const labels = memberChanges(before.labels ?? {}, after.labels ?? {}, (a, b) => setChange(a, b))
  const columns = memberChanges(before.columns ?? {}, after.columns ?? {}, (a, b) =>
    a === b ? '' : a === undefined ? `new column of ${b}` : b === undefined ? 'column gone' : `${a} became ${b}`,
  )
  return [...labels, ...columns]
}

function memberChanges<T>(before: Record<string, T>, after: Record<string, T>, describe: (a?: T, b?: T) => string): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((name) => {
    const said = describe(Object.hasOwn(before, name) ? before[name] : undefined, Object.hasOwn(after, name) ? after[name] : undefined)
    return said ? [`${name}: ${said}`] : []
  })
}

const shown = 10
const listed = (sign: string, labels: readonly string[]) => [
  ...labels.slice(0, shown).map((label) => `${sign} ${label}`),
  ...(labels.length > shown ? [`${sign} ${labels.length - shown} more`] : []),
]

function setChange(before: readonly string[] = [], after: readonly string[] = []): string {
  const [old, now] = [new Set(before), new Set(after)]
  return [
    ...listed(
      '+',
      after.filter((label) => !old.has(label)),
    ),
    ...listed(
      '-',
      before.filter((label) => !now.has(label)),
    ),
  ].join(', ')
}
