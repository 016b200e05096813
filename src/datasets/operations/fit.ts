import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import { type FittedOperations, parseSteps, rowFunction } from './fitted.js'
import { type OperationStep, operationOf } from './index.js'
import type { Apply, Fitter, TableRow } from './operation.js'

/** Gives the training rows, the same ones in the same order each time it is called. */
export type TrainingRows = () => Iterable<TableRow> | AsyncIterable<TableRow>

/**
 * Fits steps on training rows, and on nothing else. The rows stream by once for each run of steps that do not build on one another
 * (three scalers of three columns: one pass; a selection after a scaler: two), and are never held.
 */
export async function fitOperations(rows: TrainingRows, given: unknown): Promise<FittedOperations> {
  const steps = parseSteps(given)
  const fitted: JsonValue[] = []
  const ready: Apply[] = []
  let count = 0
  const add = (step: OperationStep, learned: JsonValue): Apply => {
    fitted.push(learned)
    const apply: Apply = operationOf(step).build(step, learned)
    ready.push(apply)
    return apply
  }
  while (fitted.length < steps.length) {
    const start = fitted.length
    const before = [...ready]
    const plain = takeWhile(steps.slice(start), (step) => !operationOf(step).fit)
    const together = independent(steps.slice(start + plain.length))
    const checks = [...plain, ...together].map((step, i) => new ColumnCheck(start + i + 1, step))
    const checked = plain.map((step, i) => checks[i]!.around(add(step, null)))
    const fitters = together.map((step, i) => checks[plain.length + i]!.in(operationOf(step).fit?.(step) ?? nothing))
    count = await pass(rows, [...before, ...checked], fitters)
    for (const check of checks) check.assertSeen()
    together.forEach((step, i) => {
      add(step, asJson(fitters[i]!.end()))
    })
  }
  return { version: 1, rows: count, steps: steps.map((step, i) => ({ step, fitted: fitted[i]! })) }
}

/** As it will be read back: what is built on it now is what will be built on it then. */
const asJson = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue

function takeWhile<T>(items: readonly T[], is: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !is(item))
  return items.slice(0, end < 0 ? items.length : end)
}

/** Learns nothing. */
const nothing: Fitter<null> = { add: () => {}, end: () => null }

/** The first steps up to one that reads what an earlier of them changes: all these meet the rows as they are before any of them. */
function independent(steps: readonly OperationStep[]): OperationStep[] {
  const changes: ((column: string) => boolean)[] = []
  return takeWhile(steps, (step) => {
    const operation = operationOf(step)
    const read: readonly string[] | null = operation.reads(step)
    if (changes.length > 0 && (read === null || read.some((column) => changes.some((changed) => changed(column))))) return false
    changes.push(operation.changes(step))
    return true
  })
}

async function pass(rows: TrainingRows, applies: readonly Apply[], fitters: readonly Fitter<unknown>[]): Promise<number> {
  const prepare = rowFunction(applies)
  let number = 0
  for await (const row of rows()) {
    const prepared = prepare(row, number)
    if (prepared) for (const fitter of fitters) fitter.add(prepared, number)
    number++
  }
  if (number > 0) return number
  throw new EspalierError('BAD_INPUT', 'steps: found no training rows, expected at least one to fit on')
}

/** Names that are kept for "did you mean". */
const maxNames = 1000

/** Looks on while a step meets the training rows: a column that none of them has is misspelled. */
class ColumnCheck {
  private readonly unseen: Set<string>
  private readonly names = new Set<string>()
  private rows = 0

  constructor(
    private readonly number: number,
    private readonly step: OperationStep,
  ) {
    this.unseen = new Set(operationOf(step).reads(step) as readonly string[] | null)
  }

  around(apply: Apply): Apply {
    return (row, number) => {
      this.see(row)
      return apply(row, number)
    }
  }

  in<Fitted>(fitter: Fitter<Fitted>): Fitter<Fitted> {
    return {
      add: (row, number) => {
        this.see(row)
        fitter.add(row, number)
      },
      end: () => fitter.end(),
    }
  }

  assertSeen(): void {
    const where = `step ${this.number} (${this.step.op})`
    if (this.rows === 0)
      throw new EspalierError('BAD_INPUT', `${where}: found no training row left by the steps before, expected at least one`)
    const [column] = this.unseen
    if (column === undefined) return
    throw new EspalierError('BAD_INPUT', `${where}: no training row has a column "${column}"`, {
      remedy: didYouMean(column, this.names) ?? `There are ${[...this.names].slice(0, 10).join(', ')}.`,
    })
  }

  private see(row: Readonly<TableRow>): void {
    this.rows++
    if (this.unseen.size === 0) return
    for (const column of this.unseen) if (Object.hasOwn(row, column)) this.unseen.delete(column)
    for (const column in row) if (this.names.size < maxNames) this.names.add(column)
  }
}
