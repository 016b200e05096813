import { median } from '../../statistics/summary.js'
import { EspalierError } from '../../util/error.js'
import { type Rng, seeded } from '../../util/random.js'
import type { Properties } from '../../vocabulary.js'
import { recordKind } from '../records/index.js'
import { assertLabelSet } from '../records/record-kind.js'
import type { EnhancementOptions } from './options.js'
import type { Step } from './step.js'

type Method = NonNullable<EnhancementOptions['balance']>['method']

/** How many rows a class of `rows` is to have, given the sizes of all classes. */
const targets: Record<Method, (rows: number, sizes: readonly number[], ratio: number) => number> = {
  median: (rows, sizes) => Math.min(rows, Math.floor(median(sizes)!)),
  min: (_, sizes) => Math.min(...sizes),
  'max-ratio': (rows, sizes, ratio) => Math.min(rows, Math.floor(ratio * Math.min(...sizes))),
  oversample: (_, sizes) => Math.max(...sizes),
  weights: (rows) => rows,
}

/** Deals out `wanted` among `left` rows that come one by one, each with the same chance (selection sampling). */
class Dealer {
  constructor(
    private left: number,
    private wanted: number,
    private readonly rng: Rng,
  ) {}
  next(): boolean {
    const takes = this.rng.next() * this.left < this.wanted
    this.left--
    if (takes) this.wanted--
    return takes
  }
}

export const balance: Step = {
  name: 'balance',
  start({ balance: options, seed }, kind) {
    if (!options) return null
    const { labels: labelsOf } = recordKind(kind)
    const by = options.by ?? (kind === 'relation' ? 'relation' : 'intent')
    if (!labelsOf || by === 'entity')
      throw new EspalierError('BAD_INPUT', `balance by ${by}: rows of the kind ${kind} have no such label, one a row`)
    assertLabelSet(recordKind(kind), by, 'balance by')
    const labelOf = (row: Properties) => labelsOf(row)[by]?.[0]
    const sizes = new Map<string, number>()
    const target = new Map<string, number>()
    return {
      async plan(rows) {
        for await (const { row } of rows) {
          const label = labelOf(row)
          if (label !== undefined) sizes.set(label, (sizes.get(label) ?? 0) + 1)
        }
        const all = [...sizes.values()]
        for (const [label, size] of sizes) target.set(label, targets[options.method](size, all, options.ratio))
      },
      open() {
        const rng = seeded(seed).fork('balance')
        // each class has at least `whole` copies of every row, and one more of those that are dealt it
        const dealers = new Map(
          [...sizes].map(([label, size]) => {
            const whole = Math.floor(target.get(label)! / size)
            return [label, { whole, more: new Dealer(size, target.get(label)! % size, rng.fork(label)) }] as const
          }),
        )
        return (numbered, report) => {
          const label = labelOf(numbered.row)
          const dealer = label === undefined ? undefined : dealers.get(label)
          if (!dealer) return [numbered]
          const copies = dealer.whole + (dealer.more.next() ? 1 : 0)
          if (copies === 0) report.dropped(numbered, `${by} "${label}" has ${sizes.get(label!)} rows, and is held to ${target.get(label!)}`)
          const { id: _, ...nameless } = numbered.row
          return Array.from({ length: copies }, (_, i) => {
            if (i === 0) return numbered
            const copy = { ...numbered, row: nameless }
            report.added(copy)
            return copy
          })
        }
      },
      details() {
        const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
        return {
          by,
          before: Object.fromEntries(sizes),
          after: Object.fromEntries(target),
          // n / (classes * rows of the class): what makes classes count the same in a loss
          ...(options.method === 'weights' && {
            weights: Object.fromEntries([...sizes].map(([label, size]) => [label, total / (sizes.size * size)])),
          }),
        }
      },
    }
  },
}
