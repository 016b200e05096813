const bytesPerEntry = 20
const words = bytesPerEntry / 4

/**
 * The first 128 bits of digests, each with a number: for sets and counts over millions of rows (20 bytes a slot, two thirds of them taken
 * at most: 42 MB for a million; a Set of texts takes 100-200). Two of a billion different digests meet with a chance below 1e-20.
 */
export class DigestTable {
  private slots: Uint32Array
  private mask: number
  size = 0

  constructor(expected = 1024) {
    const capacity = 1 << Math.ceil(Math.log2(Math.max(16, expected * 1.5)))
    this.slots = new Uint32Array(capacity * words)
    this.mask = capacity - 1
  }

  private find(a: number, b: number, c: number, d: number): number {
    const { slots, mask } = this
    for (let i = a & mask; ; i = (i + 1) & mask) {
      const at = i * words
      // the number is kept plus one: zero is an empty slot
      if (slots[at + 4] === 0) return at
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) return at
    }
  }

  private slotOf(digest: Buffer): number {
    return this.find(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12))
  }

  /** Puts a digest in with a number (0 to 2^32 - 2) unless it is there; answers the number that it has. */
  add(digest: Buffer, value = 0): { isNew: boolean; value: number } {
    if ((this.size + 1) * 3 > (this.mask + 1) * 2) this.grow()
    const at = this.slotOf(digest)
    const held = this.slots[at + 4]!
    if (held !== 0) return { isNew: false, value: held - 1 }
    this.size++
    for (let w = 0; w < 4; w++) this.slots[at + w] = digest.readUInt32LE(4 * w)
    this.slots[at + 4] = value + 1
    return { isNew: true, value }
  }

  /** undefined where it is not there */
  get(digest: Buffer): number | undefined {
    const held = this.slots[this.slotOf(digest) + 4]!
    return held === 0 ? undefined : held - 1
  }

  /** Changes the number of a digest that is there, or puts it in. */
  set(digest: Buffer, value: number): void {
    if (this.add(digest, value).isNew) return
    this.slots[this.slotOf(digest) + 4] = value + 1
  }

  private grow(): void {
    const old = this.slots
    this.mask = this.mask * 2 + 1
    this.slots = new Uint32Array((this.mask + 1) * words)
    for (let at = 0; at < old.length; at += words) {
      if (old[at + 4] === 0) continue
      this.slots.set(old.subarray(at, at + words), this.find(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!))
    }
  }
}
