import type { Sql } from '../../postgres/sql.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import type { DatasetFormat, RowSource, SpanUnit } from '../formats/format.js'
import { assertCarries, formatOf } from '../formats/index.js'
import { convertSpans } from '../formats/spans.js'
import { readDatasetRows } from '../store.js'
import type { DatasetVersion } from '../version.js'

export interface ExportOptions {
  /** a name of formats/index.ts (default `jsonl`) */
  format?: string
  /** say in the file what it holds: dataset, version, hash (default true; JSON and Croissant have a place for it) */
  includeMetadata?: boolean
  /** count spans in this unit; formats that are made for Python count code points whatever is said here (default `utf16`) */
  spans?: SpanUnit
}

export interface Export {
  format: DatasetFormat
  /** `intents-1.2.jsonl` */
  fileName: string
  mediaType: string
  /** what the format cannot carry; null when nothing is lost */
  loses: string | null
  /** streamed: memory does not grow with the rows */
  bytes: AsyncIterable<Uint8Array>
}

/** What a file says of itself. */
const metadataOf = (version: DatasetVersion): Properties => ({
  dataset: version.datasetName,
  kind: version.kind,
  version: version.number,
  hash: version.hash,
  rows: version.rowCount,
  description: version.description,
  created_at: version.createdAt.toISOString(),
})

/** A name that is one on every system, and in a header. */
export const safeName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|-+$/g, '')
    .slice(0, 80) || 'dataset'

/** The rows of a version in a format; BAD_INPUT before the first byte when the format is unknown or cannot carry them. */
export function exportVersion(sql: Sql, blobs: RowBlobs, version: DatasetVersion, options: ExportOptions = {}): Export {
  const { includeMetadata = true, spans = 'utf16' } = options
  const format = formatOf(options.format ?? 'jsonl')
  assertCarries(format, version.kind)
  const stored: RowSource = () => readDatasetRows(sql, blobs, version.id)
  const rows = spans === 'utf16' || format.spans || version.kind !== 'labeled-text' ? stored : counted(stored, spans)
  return {
    format,
    fileName: `${safeName(version.datasetName)}-${version.number}${format.extensions[0]!}`,
    mediaType: format.mediaType,
    loses: format.loses,
    bytes: format.write(rows, {
      kind: version.kind,
      title: version.datasetName,
      description: version.description,
      ...(includeMetadata && { metadata: metadataOf(version) }),
    }),
  }
}

const counted = (rows: RowSource, unit: SpanUnit): RowSource =>
  async function* () {
    for await (const row of rows()) {
      const { text, expected_entities: entities } = row as { text: string; expected_entities?: JsonValue[] }
      yield entities ? ({ ...(row as Properties), expected_entities: convertSpans(text, entities, 'utf16', unit) } as JsonValue) : row
    }
  }
