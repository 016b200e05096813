import { EspalierError } from '../../util/error.js'
import { seeded } from '../../util/random.js'
import { ownMember } from '../../util/record.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { DigestTable } from '../records/digest-table.js'
import { type DatasetKind, recordKind } from '../records/index.js'
import { assertLabelSet } from '../records/record-kind.js'
import { rowDigest, rowId } from '../records/row-key.js'
import { compileConditions } from './condition.js'
import type { Modifications } from './modifications.js'

type Rows = AsyncIterable<JsonValue>

/** Rows of several sources one after another; those of later ones whose content was there before are left out. */
export async function* mergeRows(kind: DatasetKind, sources: readonly (() => Rows)[]): AsyncGenerator<JsonValue> {
  const [first, ...others] = sources
  if (others.length === 0) return yield* first!()
  const seen = new DigestTable()
  for (const [s, source] of sources.entries())
    for await (const row of source()) {
      const isNew = seen.add(rowDigest(kind, row)).isNew
      if (isNew || s === 0) yield row
    }
}

const clamp = (x: number) => Math.min(1, Math.max(0, x))

/** What becomes of one row: null where it is left out. BAD_INPUT for what this kind does not have. */
export function compileModifications(kind: DatasetKind, modifications: Modifications): (row: Properties) => Properties | null {
  const record = recordKind(kind)
  const mappings = labelMappings(kind, modifications)
  const keeps = compileConditions(modifications.filter)
  const dropped = new Set(modifications.drop)
  const { confidence_adjustment: adjustment } = modifications
  const { multiply = 1, add = 0 } = typeof adjustment === 'number' ? { add: adjustment } : (adjustment ?? {})
  return (row) => {
    if (!keeps(row)) return null
    if (dropped.size > 0 && isNamed(kind, row, dropped)) return null
    let changed = row
    for (const [set, mapping] of mappings) changed = record.relabel!(changed, set, (label) => ownMember(mapping, label) ?? label)
    if (adjustment === undefined || typeof row['confidence'] !== 'number') return changed
    return { ...changed, confidence: clamp(row['confidence'] * multiply + add) }
  }
}

/** Is the row meant by one of these names: its id or its content hash? */
export function isNamed(kind: DatasetKind, row: JsonValue, names: { has(name: string): boolean }): boolean {
  const id = rowId(row)
  return (id !== null && names.has(id)) || names.has(rowDigest(kind, row).toString('hex'))
}

function labelMappings(kind: DatasetKind, { label_mapping, intent_mapping, sentiment_mapping }: Modifications) {
  const given = [...Object.entries(label_mapping), ['intent', intent_mapping] as const, ['sentiment', sentiment_mapping] as const]
  const mappings = given.filter(([, mapping]) => Object.keys(mapping).length > 0)
  if (mappings.length > 0 && !recordKind(kind).relabel)
    throw new EspalierError('BAD_INPUT', `mapping of ${mappings[0]![0]}: rows of the kind ${kind} have no labels that can be mapped`)
  for (const [set] of mappings) assertLabelSet(recordKind(kind), set, 'label_mapping')
  return mappings
}

/**
 * So many rows at random, in their order, of a source whose length is known, in memory of one row (selection sampling: Fan, Muller &
 * Rezucha 1962; Knuth, Algorithm S).
 */
export async function* sampleRows(rows: Rows, total: number, size: number, seed: number): AsyncGenerator<JsonValue> {
  const rng = seeded(seed)
  let [left, wanted] = [total, Math.min(size, total)]
  for await (const row of rows) {
    if (wanted === 0) return
    if (rng.next() * left < wanted) {
      wanted--
      yield row
    }
    left--
  }
}
