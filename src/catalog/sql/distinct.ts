/**
 * How many distinct values were seen, in bounded memory: exact up to `exactLimit`, then HyperLogLog with 2^11 registers (Flajolet et al.
 * 2007; standard error 2.3 %). Values themselves are never kept.
 */
export class DistinctCounter {
  private exact: Set<number> | null = new Set()
  private registers: Uint8Array | null = null

  add(value: string | number | boolean): void {
    const hash = hashOf(value)
    if (this.exact) {
      this.exact.add(hash)
      if (this.exact.size > exactLimit) this.spill()
    } else this.record(hash)
  }

  estimate(): number {
    if (this.exact) return this.exact.size
    const registers = this.registers!
    let sum = 0
    let zeros = 0
    for (const rank of registers) {
      sum += 2 ** -rank
      if (rank === 0) zeros++
    }
    const raw = (alpha * registerCount * registerCount) / sum
    // linear counting where the registers are still sparse
    return Math.round(raw <= 2.5 * registerCount && zeros > 0 ? registerCount * Math.log(registerCount / zeros) : raw)
  }

  private spill(): void {
    this.registers = new Uint8Array(registerCount)
    for (const hash of this.exact!) this.record(hash)
    this.exact = null
  }

  private record(hash: number): void {
    const index = hash >>> (32 - indexBits)
    const rank = Math.min(Math.clz32((hash << indexBits) | (1 << (indexBits - 1))), 32 - indexBits) + 1
    if (rank > this.registers![index]!) this.registers![index] = rank
  }
}

const exactLimit = 1024
const indexBits = 11
const registerCount = 2 ** indexBits
const alpha = 0.7213 / (1 + 1.079 / registerCount)

/** 32-bit finaliser of MurmurHash3 (Appleby 2011). */
function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const bits = new DataView(new ArrayBuffer(8))

function hashOf(value: string | number | boolean): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') {
    bits.setFloat64(0, value)
    return mix(Math.imul(mix(bits.getInt32(0)), 31) ^ bits.getInt32(4))
  }
  let h = 0x811c9dc5
  for (let i = 0; i < value.length; i++) h = Math.imul(h ^ value.charCodeAt(i), 0x01000193)
  return mix(h ^ value.length)
}
