import type { Problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { DatasetKind } from '../version.js'

/** A file as it comes: from disk, from a request, from a blob. */
export type ByteSource = AsyncIterable<Uint8Array>

/** Rows that can be read again from the start: some formats say first what the rows have (their labels), and then the rows. */
export type RowSource = () => AsyncIterable<JsonValue>

/** How entity spans are counted: `utf16` as JavaScript, Java and C# do (and as rows are kept), `code-points` as Python does. */
export const spanUnits = ['utf16', 'code-points'] as const
export type SpanUnit = (typeof spanUnits)[number]

export interface ReadOptions {
  /** for `where` of problems */
  file: string
  kind: DatasetKind
}

export interface WriteOptions {
  kind: DatasetKind
  /** of the dataset and version, for formats that name what they hold */
  title: string
  description?: string
  license?: string
  /** said of the whole, where the format has a place for it */
  metadata?: Properties
}

/** One example as the file has it, by the names that the file uses; or what is wrong with it. */
export interface ReadItem {
  /** `train.csv:12` */
  where: string
  value?: Record<string, unknown>
  problems?: Problem[]
}

export interface DatasetFormat {
  name: string
  /** one line for people */
  title: string
  /** that a file of it may end with; the first is what it is written with */
  extensions: readonly string[]
  mediaType: string
  /** kinds of rows that it can carry */
  kinds: readonly DatasetKind[]
  /** what does not survive the round trip; null when everything does */
  loses: string | null
  /** its values may come as texts: numbers and lists of own fields are read from them */
  untyped?: boolean
  /** units that its spans are in when the file cannot say (default: whatever the caller says, else `utf16`) */
  spans?: SpanUnit
  /** its reader counts them in UTF-16 already, since it knows its own unit */
  convertsSpans?: boolean
  /** memory is that of one row, unless a comment at the reader says otherwise */
  read(source: ByteSource, options: ReadOptions): AsyncIterable<ReadItem>
  write(rows: RowSource, options: WriteOptions): AsyncIterable<Uint8Array>
}
