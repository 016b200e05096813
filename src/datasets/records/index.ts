import { z } from 'zod'
import type { ExampleKind } from '../../models/model.js'
import { embeddingPair } from './embedding-pair.js'
import { graph, node, ranking, sequence } from './graph-records.js'
import { labeledText } from './labeled-text.js'
import { queryEvent } from './query-event.js'
import type { RecordKind } from './record-kind.js'
import { relation } from './relation.js'
import { tabular } from './tabular.js'

/** What a dataset can hold: kind -> its rows. A new kind is a file beside this one and a line here. */
export const recordKinds = {
  ranking,
  node,
  graph,
  sequence,
  'labeled-text': labeledText,
  'embedding-pair': embeddingPair,
  relation,
  'query-event': queryEvent,
  tabular,
} as const satisfies Record<ExampleKind, RecordKind> & Record<string, RecordKind>

export type DatasetKind = keyof typeof recordKinds
export const datasetKinds = Object.keys(recordKinds) as [DatasetKind, ...DatasetKind[]]

/** What models of this package train on; of the others, rows are kept, checked and handed out. */
export const isExampleKind = (kind: DatasetKind): kind is ExampleKind =>
  (['ranking', 'node', 'graph', 'sequence'] as DatasetKind[]).includes(kind)

export const recordKind = (kind: DatasetKind): RecordKind => recordKinds[kind]

/** The rows of every kind as JSON Schema, as they are written to a file. */
export const recordsJsonSchema = (): unknown => ({
  title: 'Rows of datasets, by kind',
  $defs: Object.fromEntries(
    datasetKinds.map((kind) => [
      kind,
      { description: recordKind(kind).description, ...z.toJSONSchema(recordKind(kind).schema, { io: 'input' }) },
    ]),
  ),
})
