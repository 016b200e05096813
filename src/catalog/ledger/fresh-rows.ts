import { escapeCopyText } from '../../postgres/copy.js'
import type { NodeKind } from '../../vocabulary.js'
import type { EdgeFact } from '../fact.js'
import { type EntryText, EntryTexts, roughWordsOf, wordsOf } from '../search/entry-text.js'
import type { StagedNode } from './batch-store.js'
import { CopyText, nullable, type Origin, originText } from './copy-text.js'
import { KeyPool } from './key-pool.js'
import { canonicalOf, encodeContent, encodeEdge, nothing, storable } from './staged-row.js'

/** A fact that does not stand for itself: it is told twice or in parts, or taken back. */
export class NotFresh extends Error {}

/** Ids whose keys are remembered, in two halves: edges come soon after their ends. */
const mostRecent = 10_000
/** Columns that wait for the edge that tells of their table. */
const mostPending = 2_000
/** Contents of edges that are remembered as written. */
const mostKnown = 10_000
const mostWords = 50_000
/** The end of a node's row that belongs to no table, or to one that is not known yet. */
const homeless = '\\N\tf\t\\N\n'

/** What a system holds itself where nothing else does. */
export const topKinds: ReadonlySet<NodeKind> = new Set(['InformationSystem', 'Database', 'Table', 'View', 'ControlMFolder', 'PetriNet'])

/** Facts of a system that nothing is known of, as the rows of their tables (fresh-store.ts), with their keys. Ids and names are storable. */
export class FreshRows {
  /** of columns, each with that of its edge: their own, so that who pages through tables in the order of keys need not pass them */
  readonly columnKeys = new KeyPool(2)
  /** of all other nodes */
  readonly nodeKeys = new KeyPool()
  readonly edgeKeys = new KeyPool()
  readonly contents = new CopyText()
  /** hashes of `contents`, and where their rows end */
  hashes: string[] = []
  contentEnds: number[] = []
  /** Columns and all others apart: each come in the order of their keys, and index entries in order are put into their places sooner. */
  readonly nodes = new CopyText()
  readonly columns = new CopyText()
  readonly edges = new CopyText()
  readonly homes = new CopyText()
  readonly nodeEntries = new CopyText()
  readonly columnEntries = new CopyText()
  /** how many homes of a type the tables got: parts of sums */
  readonly typeCounts = new CopyText()
  /** words of the entries that were not given out yet */
  words = new Set<string>()
  /** facts since `restart` */
  count = 0
  /** whether a table became known after its column was written */
  hasTables = false
  /** whether a column came whose row tells of its edge */
  hasHomes = false
  /** those of them whose words came too: they are in no plan */
  homeCount = 0
  /** edges that are in no plan: nothing but a count asks for HAS_COLUMN */
  untold = 0
  /** ids of what could lie in something, and does not so far */
  readonly uncontained = new Set<string>()
  private recent = new Map<string, number>()
  private older = new Map<string, number>()
  private readonly pending = new Map<string, Waiting>()
  private table = 0
  private readonly tableTypes = new Map<string, number>()
  private readonly knownContents = new Set<string>()
  private knownWords = new Set<string>()
  private readonly entryTexts = new EntryTexts()
  private lastContainer = ''
  private lastTableId = ''
  private lastTableText = ''
  private lastOrigin: Origin | null = null
  private lastOriginText = ''

  /** A batch was taken. */
  restart(): void {
    this.count = 0
    this.hashes = []
    this.contentEnds = []
    if (this.knownWords.size < mostWords) return
    this.knownWords = new Set()
    this.lastContainer = ''
  }

  addNode({ id, kind, content, canonical: properties, isPartial, scope }: Omit<StagedNode, 'ordinal'>, origin: Origin): void {
    if (isPartial || this.recent.has(id) || this.older.has(id)) throw new NotFresh(id)
    const { json, version } = encodeContent(content, false, properties)
    const isColumn = kind === 'Column'
    const key = (isColumn ? this.columnKeys : this.nodeKeys).take()
    this.remember(id, key)
    const [name, qualifiedName] = [content.name ?? '', content.qualifiedName ?? '']
    const canonical = nullable(canonicalOf(kind, content.properties)) as string
    this.addContent(version, `${escapeCopyText(name)}\t${escapeCopyText(qualifiedName)}\t${escapeCopyText(json)}\t${canonical}\n`)
    const entry = this.entryTexts.of(kind, scope, name, qualifiedName, content.properties)
    if (entry) {
      const entries = isColumn ? this.columnEntries : this.nodeEntries
      entries.add(`${key}\t${entry.text}\n`)
      this.addWordsOf(entry)
    }
    const row = `${key}\t${escapeCopyText(id)}\t${kind}\t${version}\t${canonical}\t${this.textOf(origin)}\t${scope}\t${entry !== null}\t`
    if (isColumn) this.waitForHome(id, { row, canonical, origin, isWorded: entry !== null })
    else this.nodes.add(row + homeless)
    if (topKinds.has(kind)) this.uncontained.add(id)
    this.count++
  }

  private addContent(hash: string, rest: string): void {
    this.contents.add(`${hash}\t${rest}`)
    this.hashes.push(hash)
    this.contentEnds.push(this.contents.size)
  }

  private remember(id: string, key: number): void {
    this.recent.set(id, key)
    if (this.recent.size < mostRecent) return
    this.older = this.recent
    this.recent = new Map()
  }

  /** Columns of a table say the table's name each. */
  private addWordsOf({ container, words, texts }: EntryText): void {
    if (container !== this.lastContainer) this.addWords(roughWordsOf(container))
    this.lastContainer = container
    this.addWords(words)
    if (texts !== '') this.addWords(roughWordsOf(texts))
  }

  private addWords(rough: readonly string[]): void {
    for (const said of rough)
      if (said !== '' && !this.knownWords.has(said))
        for (const word of wordsOf(said)) {
          this.knownWords.add(word)
          if (!'=#@'.includes(word[0]!)) this.words.add(word)
        }
  }

  private waitForHome(id: string, waiting: Waiting): void {
    this.pending.set(id, waiting)
    if (this.pending.size > mostPending) this.giveUpHomes()
  }

  /** Columns that have waited long enough. */
  giveUpHomes(): void {
    for (const { row } of this.pending.values()) this.columns.add(row + homeless)
    this.pending.clear()
  }

  private textOf(origin: Origin): string {
    if (origin !== this.lastOrigin) [this.lastOrigin, this.lastOriginText] = [origin, originText(origin)]
    return this.lastOriginText
  }

  /** Whether the edge was taken: both its ends have just come. */
  addEdge({ sourceId, label, targetId, discriminator: told = '', properties }: EdgeFact, origin: Origin, canonical: string): boolean {
    const source = this.keyOf(sourceId)
    const target = this.keyOf(targetId)
    if (source === undefined || target === undefined) return false
    const discriminator = escapeCopyText(storable(told))
    const { json, version } = encodeEdge(properties, canonical)
    if (!this.knownContents.has(version)) {
      if (this.knownContents.size < mostKnown) this.knownContents.add(version)
      this.addContent(version, `\\N\t\\N\t${escapeCopyText(json)}\t\\N\n`)
    }
    this.count++
    if (label === 'CONTAINS') this.uncontained.delete(targetId)
    if (label === 'HAS_COLUMN') {
      this.untold++
      const saysMore = discriminator !== '' || version !== nothing.version
      if (this.settleHome(targetId, sourceId, target, source, saysMore ? null : origin)) return true
    }
    const key = this.edgeKeys.take()
    const said = `${escapeCopyText(sourceId)}\u0001${label}\u0001${escapeCopyText(targetId)}\u0001${discriminator}\u0001${version}`
    this.edges.add(`${key}\t${source}\t${target}\t${label}\t${discriminator}\t${version}\t${this.textOf(origin)}\t${said}\n`)
    return true
  }

  private keyOf(id: string): number | undefined {
    return this.recent.get(id) ?? this.older.get(id)
  }

  /**
   * A column has found its table. Whether its row tells of the edge, too: one that says nothing but that it is, and was read at the same
   * place, is not written out (home-store.ts). `origin`: of such an edge.
   */
  private settleHome(id: string, tableId: string, column: number, table: number, origin: Origin | null): boolean {
    const waiting = this.pending.get(id)
    if (waiting === undefined) {
      this.homes.add(`${column}\t${table}\n`)
      this.hasTables = true
      return false
    }
    this.pending.delete(id)
    const isHome = origin === waiting.origin
    if (isHome) {
      this.hasHomes = true
      if (waiting.isWorded) this.countHome(table, waiting.canonical)
    }
    this.columns.add(isHome ? `${waiting.row}${table}\tt\t${this.idText(tableId)}\n` : `${waiting.row}${table}\tf\t\\N\n`)
    return isHome
  }

  private idText(tableId: string): string {
    if (tableId !== this.lastTableId) [this.lastTableId, this.lastTableText] = [tableId, escapeCopyText(tableId)]
    return this.lastTableText
  }

  /** Columns of a table come in a row. */
  private countHome(table: number, canonical: string): void {
    this.homeCount++
    if (table !== this.table) this.giveTypeCounts()
    this.table = table
    this.tableTypes.set(canonical, (this.tableTypes.get(canonical) ?? 0) + 1)
  }

  /** What was counted for the table that came last. */
  giveTypeCounts(): void {
    for (const [canonical, n] of this.tableTypes) this.typeCounts.add(`${this.table}\t${canonical}\t${n}\n`)
    this.tableTypes.clear()
  }
}

/** A column that has not found its table. */
interface Waiting {
  row: string
  /** its type as COPY text */
  canonical: string
  origin: Origin
  isWorded: boolean
}
