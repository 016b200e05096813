import { DigestTable } from '../records/digest-table.js'
import { rowHash } from '../version.js'
import { bandCount, bandKeys, minhash, normalizeText, signatureSize, similarityOf } from './minhash.js'

/** rows of a block: arrays grow block by block, since doubling would hold both halves */
const blockRows = 1 << 14

/** Numbers of rows in blocks; 0 where none was set. */
class Column<T extends Uint8Array | Uint32Array> {
  private readonly blocks: T[] = []
  constructor(
    readonly width: number,
    private readonly make: (length: number) => T,
  ) {}
  /** the block that holds this entry, which is made */
  block(entry: number): T {
    const b = Math.floor(entry / blockRows)
    while (this.blocks.length <= b) this.blocks.push(this.make(blockRows * this.width))
    return this.blocks[b]!
  }
  offset = (entry: number): number => (entry % blockRows) * this.width
  get = (entry: number): number => this.blocks[Math.floor(entry / blockRows)]?.[this.offset(entry)] ?? 0
  set(entry: number, value: number): void {
    this.block(entry)[this.offset(entry)] = value
  }
}

const uint32 = (length: number) => new Uint32Array(length)
const uint8 = (length: number) => new Uint8Array(length)

/** How many rows of one bucket a row is compared with: the first ones that are no duplicates themselves. */
const comparedHeads = 8

export interface Duplicate {
  /** from 1 */
  row: number
  /** the earlier row that it is like */
  of: number
  /** 1 for equal texts, else the estimate */
  similarity: number
}

/**
 * Near-duplicates among any number of texts: each comes in once, then all are found. 64 minima a text, of which a byte each is kept, and
 * 16 band keys: some 200 bytes a row, whatever the texts. The estimate's standard error is .05 at similarity .8.
 */
export class NearTexts {
  private rows = 0
  private unique = 0
  private found = false
  private readonly exact = new DigestTable()
  private readonly signatures = new Column(signatureSize, uint8)
  private readonly bands = new Column(bandCount, uint32)
  /** row -> entry of its signature, or row -> 0 for one whose text was there before */
  private readonly rowOf = new Column(1, uint32)
  /** row -> the earlier row that it is like (0: none) */
  private readonly like = new Column(1, uint32)
  private readonly entryOf = new Column(1, uint32)
  private readonly labels: { set: string; names: string[]; numbers: Map<string, number>; ofRow: Column<Uint32Array> }[]
  private readonly signature = new Uint32Array(signatureSize)
  private readonly threshold: number

  constructor({ threshold = 0.8, labelSets = [] }: { threshold?: number; labelSets?: readonly string[] } = {}) {
    this.threshold = threshold
    this.labels = labelSets.map((set) => ({ set, names: [], numbers: new Map(), ofRow: new Column(1, uint32) }))
  }

  /** Takes the next row's text in, with its label of each set. */
  add(text: string, labelOf: (set: string) => string | undefined = () => undefined): void {
    const row = ++this.rows
    for (const labels of this.labels) this.addLabel(labels, row, labelOf(labels.set))
    const normal = normalizeText(text)
    if (normal === '') return
    const { isNew, value: first } = this.exact.add(rowHash(normal), row)
    if (!isNew) {
      this.like.set(row, first)
      return
    }
    // equal texts are all that is asked for: no signature is needed
    if (this.threshold >= 1) return
    const entry = this.unique++
    this.rowOf.set(entry, row)
    this.entryOf.set(row, entry + 1)
    minhash(normal, this.signature)
    bandKeys(this.signature, this.bands.block(entry), this.bands.offset(entry))
    const [bytes, at] = [this.signatures.block(entry), this.signatures.offset(entry)]
    for (let k = 0; k < signatureSize; k++) bytes[at + k] = this.signature[k]! & 0xff
  }

  private addLabel(labels: NearTexts['labels'][number], row: number, label: string | undefined): void {
    if (label === undefined) return
    let number = labels.numbers.get(label)
    if (number === undefined) {
      labels.numbers.set(label, (number = labels.names.length))
      labels.names.push(label)
    }
    labels.ofRow.set(row, number + 1)
  }

  /** The label of a row in a set. */
  labelOf(row: number, set: string): string | undefined {
    const labels = this.labels.find((l) => l.set === set)
    const number = labels?.ofRow.get(row) ?? 0
    return number === 0 ? undefined : labels!.names[number - 1]
  }

  private similarity(a: number, b: number): number {
    const [left, right] = [this.signatures.block(a), this.signatures.block(b)]
    const [i, j] = [this.signatures.offset(a), this.signatures.offset(b)]
    let equal = 0
    for (let k = 0; k < signatureSize; k++) if (left[i + k] === right[j + k]) equal++
    return similarityOf(equal)
  }

  /** Links each text to an earlier one that it is like, band by band. */
  private find(): void {
    if (this.found) return
    this.found = true
    const keys = new Float64Array(this.unique)
    for (let band = 0; band < bandCount; band++) {
      // the key's upper 27 bits and the entry, in one number that sorts: two keys that share them are told apart by their signatures
      for (let e = 0; e < this.unique; e++) keys[e] = (this.bands.block(e)[this.bands.offset(e) + band]! >>> 5) * 2 ** 26 + e
      keys.sort()
      for (let from = 0; from < keys.length; ) {
        const key = Math.floor(keys[from]! / 2 ** 26)
        let to = from + 1
        while (to < keys.length && Math.floor(keys[to]! / 2 ** 26) === key) to++
        if (to - from > 1) this.link(keys.subarray(from, to))
        from = to
      }
    }
  }

  private link(bucket: Float64Array): void {
    const heads: number[] = []
    for (const key of bucket) {
      const entry = key % 2 ** 26
      const row = this.rowOf.get(entry)
      if (this.like.get(row) !== 0) continue
      const head = heads.find((other) => this.similarity(entry, other) >= this.threshold)
      if (head !== undefined) this.like.set(row, this.rowOf.get(head))
      else if (heads.length < comparedHeads) heads.push(entry)
    }
  }

  /** Rows that are like an earlier one, in order. */
  *duplicates(): Generator<Duplicate> {
    this.find()
    for (let row = 1; row <= this.rows; row++) {
      const of = this.like.get(row)
      if (of === 0) continue
      const [entry, other] = [this.entryOf.get(row), this.entryOf.get(of)]
      yield { row, of, similarity: entry === 0 ? 1 : this.similarity(entry - 1, other - 1) }
    }
  }

  /** Rows whose text is equal to an earlier one's, in order. */
  *equalTexts(): Generator<{ row: number; of: number }> {
    for (let row = 1; row <= this.rows; row++) {
      const of = this.like.get(row)
      if (of !== 0 && this.entryOf.get(row) === 0) yield { row, of }
    }
  }

  /** The first row of the group that a row belongs to: itself, where nothing earlier is like it. */
  headOf(row: number): number {
    for (let of = this.like.get(row); of !== 0; of = this.like.get(row)) row = of
    return row
  }

  /**
   * How far near-duplicates agree in a label: the share of pairs within each group that have the same one, groups weighted by their
   * labeled rows. Null where no group has two.
   */
  agreement(set: string): { agreement: number; rows: number } | null {
    this.find()
    const ofRow = this.labels.find((l) => l.set === set)?.ofRow
    if (!ofRow) return null
    const groups = new Map<number, Map<number, number>>()
    for (let row = 1; row <= this.rows; row++) {
      if (this.like.get(row) === 0) continue
      const head = this.headOf(row)
      let counts = groups.get(head)
      if (!counts) {
        groups.set(head, (counts = new Map()))
        if (ofRow.get(head) !== 0) counts.set(ofRow.get(head), 1)
      }
      const label = ofRow.get(row)
      if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + 1)
    }
    let [weighted, rows] = [0, 0]
    for (const counts of groups.values()) {
      let [n, same] = [0, 0]
      for (const count of counts.values()) {
        n += count
        same += count * (count - 1)
      }
      if (n < 2) continue
      weighted += n * (same / (n * (n - 1)))
      rows += n
    }
    return rows === 0 ? null : { agreement: weighted / rows, rows }
  }

  /** Rows that are like an earlier one. */
  countDuplicates(): number {
    let count = 0
    for (const _ of this.duplicates()) count++
    return count
  }
}
