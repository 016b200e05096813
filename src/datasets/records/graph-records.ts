import { z } from 'zod'
import type { RecordKind } from './record-kind.js'

const vector = z.array(z.number())
const pairs = z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]))

const graphFields = {
  node_features: z.array(vector).describe('list of a vector a node, all as long'),
  edge_index: pairs.describe('list of [from, to], numbers of nodes from 0'),
  edge_types: z.array(z.int().nonnegative()).optional().describe('list of a type an edge'),
  edge_directions: z
    .array(z.union([z.literal(0), z.literal(1)]))
    .optional()
    .describe('list of 0 or 1 an edge'),
}
const query = vector.optional().describe('vector: what is asked for')
const group = z.string().optional().describe('text: what the example is held out with')

const candidate = z.object({ id: z.string().optional(), ...graphFields, label: z.number().optional() })

/** As ranking JSONL has them (formats/ranking-jsonl.ts, which checks also what lines must agree on). */
export const ranking: RecordKind = {
  description: 'A query with candidate graphs, each with its relevance',
  schema: z.object({
    query_id: z.string().describe('text that names the query'),
    query,
    group,
    candidates: z.array(candidate).describe('list of candidates: objects of node_features, edge_index and label'),
  }),
  times: [],
  ids: [],
}

const graphKind = (target: z.ZodType, description: string): RecordKind => ({
  description,
  schema: z.object({
    id: z.string().describe('text that names the example'),
    group,
    query,
    ...graphFields,
    target,
    annotations: z.array(z.array(vector)).optional().describe('list of what the nodes are marked with, a step'),
  }),
  times: [],
  ids: [],
})

const number = z.int().nonnegative()

/** As graph JSONL has them (formats/graph-jsonl.ts). */
export const node = graphKind(number.optional().describe('number of the node that is asked for'), 'A graph of which a node is asked')
export const graph = graphKind(
  z.union([z.string(), z.number()]).optional().describe('the class of the graph'),
  'A graph of which a class is asked',
)
export const sequence = graphKind(
  z
    .array(z.union([z.string(), z.number()]))
    .optional()
    .describe('list of outputs, one after another'),
  'A graph of which a sequence is asked',
)
