/** A column of numbers that grows as rows stream by: 8 (or 4) bytes a row, no objects. */
export class NumberColumn {
  private values = new Float64Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Float64Array(2 * this.length)
      wider.set(this.values)
      this.values = wider
    }
    this.values[this.length++] = value
  }

  /** a view: later pushes may not show in it */
  view(): Float64Array {
    return this.values.subarray(0, this.length)
  }
}

/** Numbers keys 0, 1, 2, … in the order in which they are first seen. */
export class Numbering<Key> {
  private readonly numbers = new Map<Key, number>()

  get size(): number {
    return this.numbers.size
  }

  of(key: Key): number {
    const known = this.numbers.get(key)
    if (known !== undefined) return known
    this.numbers.set(key, this.numbers.size)
    return this.numbers.size - 1
  }

  keys(): Key[] {
    return [...this.numbers.keys()]
  }
}
