import type { Sql } from '../../postgres/sql.js'

/** Keys from first to last. */
export interface KeySpan {
  first: number
  last: number
}

/** So many a sequence gives almost always in a row. */
const fewest = 16

/** Keys of facts, drawn from their sequence many at a time, and given out in order: `width` in a row to each who takes. */
export class KeyPool {
  /** what was given out, stretches without a gap */
  readonly given: KeySpan[] = []
  private readonly drawn: KeySpan[] = []
  private count = 0
  private countBefore = 0

  constructor(private readonly width = 1) {}

  /** How often it can be taken from. */
  get left(): number {
    return this.count
  }

  /** How often it was taken from since this was asked, or it was drawn, last. */
  get takenLately(): number {
    return this.countBefore - this.count
  }

  /** Enough to be taken from `count` times. Stretches that others draw from at the same time are let go, and less is drawn at once. */
  async draw(sql: Sql, count: number): Promise<void> {
    for (let left = count, size = count; left > 0; ) {
      const { rows } = await sql.query<KeySpan>(
        `select min(key) as first, max(key) as last from (select nextval('fact_key') as key from generate_series(1, $1::integer)) k`,
        [size * this.width],
      )
      const { first, last } = rows[0]!
      if (last - first + 1 === size * this.width) {
        this.drawn.push({ first, last })
        left -= size
      } else size = Math.max(fewest, Math.ceil(size / 4))
      size = Math.min(size, left)
    }
    this.count += count
    this.countBefore = this.count
  }

  /** The first of the keys. */
  take(): number {
    const span = this.drawn[0]!
    const key = span.first
    span.first += this.width
    if (span.first > span.last) this.drawn.shift()
    this.count--
    const last = this.given.at(-1)
    if (last !== undefined && last.last === key - 1) last.last = key + this.width - 1
    else this.given.push({ first: key, last: key + this.width - 1 })
    return key
  }
}
