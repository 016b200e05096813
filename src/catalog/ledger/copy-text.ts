import { escapeCopyText } from '../../postgres/copy.js'

const firstLength = 16 * 1024

/** Where a fact was read, as the histories keep it. */
export interface Origin {
  file: number | null
  location: string | null
  /** when the text itself says that it was true */
  stated_at: Date | null
}

/**
 * COPY text of one table, as bytes: strings that wait for their batch would be copied by every scavenge of the heap (measured: a third
 * of all time). Two buffers that last: while one is sent, the other is filled.
 */
export class CopyText {
  private filled = Buffer.allocUnsafe(firstLength)
  private sent = Buffer.allocUnsafe(firstLength)
  private length = 0

  /** Bytes that were added since the last time. */
  get size(): number {
    return this.length
  }

  add(row: string): void {
    // of UTF-8, at most
    const needed = this.length + row.length * 3
    if (needed > this.filled.length) this.grow(needed)
    this.length += this.filled.write(row, this.length)
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.filled.length * 2))
    this.filled.copy(larger, 0, 0, this.length)
    this.filled = larger
  }

  /** What was added since the last time; it lasts until the next: what was taken before must have been sent. Nothing: an empty list. */
  take(): Buffer[] {
    const taken = this.filled.subarray(0, this.length)
    ;[this.filled, this.sent] = [this.sent, this.filled]
    this.length = 0
    return taken.length > 0 ? [taken] : []
  }
}

export const nullable = (value: string | number | null): string | number =>
  value === null ? '\\N' : typeof value === 'string' ? escapeCopyText(value) : value
export const originText = ({ file, location, stated_at }: Origin): string =>
  `${nullable(file)}\t${nullable(location)}\t${stated_at === null ? '\\N' : stated_at.toISOString()}`
