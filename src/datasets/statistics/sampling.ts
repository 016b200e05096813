import { EspalierError } from '../../util/error.js'
import { type Rng, seeded } from '../../util/random.js'

/** A sample of at most `size` of what is offered one by one (reservoir sampling, algorithm L: Li 1994). */
export class Reservoir<Item> {
  private readonly kept: { item: Item; number: number }[] = []
  private readonly rng: Rng
  private weight = 1
  private next: number
  private offered = 0

  constructor(
    private readonly size: number,
    seed: number,
  ) {
    this.rng = seeded(seed).fork('reservoir')
    this.next = size - 1
  }

  /** `make` is called only for what is taken */
  offer(make: () => Item): void {
    const number = this.offered++
    if (number < this.size) this.kept.push({ item: make(), number })
    else if (number === this.next) this.kept[this.rng.integer(this.size)] = { item: make(), number }
    if (number === this.next) this.skip()
  }

  /** in the order in which they were offered */
  items(): Item[] {
    return this.kept.toSorted((a, b) => a.number - b.number).map(({ item }) => item)
  }

  private skip(): void {
    // 1 - u is never 0
    this.weight *= Math.exp(Math.log(1 - this.rng.next()) / this.size)
    this.next += Math.floor(Math.log(1 - this.rng.next()) / Math.log1p(-this.weight)) + 1
  }
}

/**
 * `count` rows drawn without replacement, each set of them as likely as any other, in one pass that holds no more than that. In the
 * order of the data; all rows where there are no more. The same seed draws the same rows.
 */
export async function drawRows<Row>(rows: Iterable<Row> | AsyncIterable<Row>, count: number, seed: number): Promise<Row[]> {
  if (!Number.isInteger(count) || count < 1)
    throw new EspalierError('BAD_INPUT', `sample size was ${count}, expected a whole number from 1`)
  const reservoir = new Reservoir<Row>(count, seed)
  for await (const row of rows) reservoir.offer(() => row)
  return reservoir.items()
}
