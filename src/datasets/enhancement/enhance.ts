import type { JsonValue, Properties } from '../../vocabulary.js'
import type { DatasetKind } from '../records/index.js'
import { rowKey } from '../records/row-key.js'
import { steps } from './index.js'
import type { EnhancementOptions } from './options.js'
import type { Apply, Change, Dropped, NumberedRow, StepReport, StepRun } from './step.js'

export interface EnhancementReport {
  rowsBefore: number
  rowsAfter: number
  /** what each step did, in order; of steps that were not asked for nothing */
  steps: { name: string; changed: number; dropped: number; added: number; details: Properties }[]
  /** the first of them (option maxListed) */
  changes: Change[]
  dropped: Dropped[]
}

type Source = () => AsyncIterable<JsonValue>

/**
 * The steps that were asked for, on rows that can be read several times: once for each step that looks at all rows first (duplicates,
 * balance), and once to do it. The rows stream out; the report is whole when the last one has come.
 */
export async function planEnhancement(
  kind: DatasetKind,
  source: Source,
  options: EnhancementOptions,
): Promise<{ rows(): AsyncGenerator<Properties>; report(): EnhancementReport }> {
  const runs: { name: string; run: StepRun }[] = []
  for (const step of steps) {
    const run = step.start(options, kind)
    if (!run) continue
    await run.plan?.(passed(numbered(source()), openAll(runs), silent))
    runs.push({ name: step.name, run })
  }
  let collected = new Collected(kind, options.maxListed, runs)
  return {
    async *rows() {
      collected = new Collected(kind, options.maxListed, runs)
      const rows = passed(
        counted(numbered(source()), collected),
        openAll(runs),
        runs.map(({ name }) => collected.reportOf(name)),
      )
      for await (const { row } of rows) {
        collected.after++
        yield row
      }
    },
    report: () => collected.report(),
  }
}

/** How often the rows are read: once for each step that looks at all of them first, and once to do it. */
export const passesOf = (kind: DatasetKind, options: EnhancementOptions): number =>
  steps.filter((step) => step.start(options, kind)?.plan).length + 1

const openAll = (runs: readonly { run: StepRun }[]): Apply[] => runs.map(({ run }) => run.open())

async function* numbered(rows: AsyncIterable<JsonValue>): AsyncGenerator<NumberedRow> {
  let number = 0
  for await (const row of rows) yield { number: ++number, row: row as Properties }
}

async function* counted(rows: AsyncIterable<NumberedRow>, collected: Collected): AsyncGenerator<NumberedRow> {
  for await (const row of rows) {
    collected.before++
    yield row
  }
}

const nothing: StepReport = { changed: () => undefined, dropped: () => undefined, added: () => undefined }
const silent = 'silent'

async function* passed(
  rows: AsyncIterable<NumberedRow>,
  applies: readonly Apply[],
  reports: readonly StepReport[] | typeof silent,
): AsyncGenerator<NumberedRow> {
  for await (const row of rows) {
    let standing = [row]
    applies.forEach((apply, s) => {
      const report = reports === silent ? nothing : reports[s]!
      standing = standing.length === 1 ? apply(standing[0]!, report) : standing.flatMap((one) => apply(one, report))
    })
    yield* standing
  }
}

/** What was done, in bounded memory: all is counted, the first is listed. */
class Collected {
  before = 0
  after = 0
  private readonly counts = new Map<string, { changed: number; dropped: number; added: number }>()
  private readonly changes: Change[] = []
  private readonly dropped: Dropped[] = []

  constructor(
    private readonly kind: DatasetKind,
    private readonly most: number,
    private readonly runs: readonly { name: string; run: StepRun }[],
  ) {}

  reportOf(step: string): StepReport {
    const counts = { changed: 0, dropped: 0, added: 0 }
    this.counts.set(step, counts)
    return {
      changed: (row, field, before, after, why) => {
        counts.changed++
        if (this.changes.length < this.most) this.changes.push({ step, row, field, before, after, why })
      },
      dropped: ({ number, row }, why) => {
        counts.dropped++
        if (this.dropped.length < this.most) this.dropped.push({ step, row: number, key: rowKey(this.kind, row), why })
      },
      added: () => {
        counts.added++
      },
    }
  }

  report(): EnhancementReport {
    return {
      rowsBefore: this.before,
      rowsAfter: this.after,
      steps: this.runs.map(({ name, run }) => ({
        name,
        ...(this.counts.get(name) ?? { changed: 0, dropped: 0, added: 0 }),
        details: run.details?.() ?? {},
      })),
      changes: this.changes,
      dropped: this.dropped,
    }
  }
}
