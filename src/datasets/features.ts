import { z } from 'zod'
import { EspalierError } from '../util/error.js'
import { contentHash } from '../util/hash.js'
import { nameTokens } from '../util/words.js'
import { type CatalogNode, canonicalTypes } from '../vocabulary.js'
import { canonicalTypeOf, isPrimaryKey } from './estate.js'
import { characterGrams, hashFeatures } from './hashing.js'
import { editSimilarity, type TargetName, targetFit, trigramSimilarity } from './names.js'

/** Everything that decides how a catalog node becomes numbers and how a candidate's graph is cut out: stored with data and models. */
export const featureSpecSchema = z.strictObject({
  version: z.literal(1).default(1).describe('layout of the features; another layout is another version'),
  nameBuckets: z.int().min(1).max(4096).default(32).describe('places that n-grams of a name are hashed to'),
  commentBuckets: z.int().min(1).max(4096).default(16).describe('places that n-grams of a comment are hashed to'),
  gramSizes: z.array(z.int().min(1).max(8)).min(1).default([2, 3]).describe('lengths of the character n-grams'),
  hops: z.int().min(1).max(4).default(2).describe('how far from the candidate, and from the query, its graph reaches'),
  maxNodes: z.int().min(2).max(512).default(32).describe('nodes a candidate graph holds at most; a third of them for the query'),
  knownReferences: z
    .enum(['others', 'none'])
    .default('others')
    .describe('which foreign keys the model may see: all but the asked one, or none of its database'),
})
export type FeatureSpec = z.output<typeof featureSpecSchema>

/** A spec with its defaults filled in; throws BAD_INPUT on one that is not valid. */
export function parseFeatureSpec(value: unknown): FeatureSpec {
  const parsed = featureSpecSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `feature spec: ${z.prettifyError(parsed.error)}`, {
    remedy: 'Take the spec as the dataset version or the artifact holds it; specs of another version need that version of Espalier.',
  })
}

/** SHA-256 of the spec: equal hashes mean that features were made the same way. */
export const featureSpecHash = (spec: FeatureSpec): string => contentHash(spec)

/** Edge types of candidate graphs, by their number. ASKED joins the query's node to the candidate's: the edge in question. */
export const candidateEdgeTypes = ['HAS_COLUMN', 'REFERENCES', 'DATA_FLOW', 'ASKED'] as const

const kinds = ['Table', 'View', 'Column'] as const

/** Where a node stands in the list that is being encoded. */
export interface NodePlace {
  query: CatalogNode
  isCandidate: boolean
  /** how the query's column and this one are spelled (null where this node is no column) */
  asked: TargetName
  target: TargetName | null
  isInQueryTable: boolean
  /** visible edges: foreign keys that point here, foreign keys that leave, all others */
  degrees: readonly [number, number, number]
}

const oneHot = <T>(options: readonly T[], value: T): number[] => [
  ...options.map((o) => Number(o === value)),
  Number(!options.includes(value)),
]
const text = (node: CatalogNode, property: string): string => {
  const value = node.properties[property]
  return typeof value === 'string' ? value : ''
}

interface Block<Arguments extends unknown[]> {
  name: string
  width(spec: FeatureSpec): number
  encode(node: CatalogNode, spec: FeatureSpec, ...rest: Arguments): number[]
}

/** What a node is by itself. */
const ownBlocks: readonly Block<[]>[] = [
  {
    name: 'name',
    width: (spec) => spec.nameBuckets,
    encode: (node, spec) => hashFeatures(characterGrams(nameTokens(node.name), spec.gramSizes), spec.nameBuckets),
  },
  {
    name: 'comment',
    width: (spec) => spec.commentBuckets,
    encode: (node, spec) => hashFeatures(characterGrams(nameTokens(text(node, 'comment')), spec.gramSizes), spec.commentBuckets),
  },
  { name: 'kind', width: () => kinds.length + 1, encode: (node) => oneHot<string>(kinds, node.kind) },
  {
    name: 'canonical-type',
    width: () => canonicalTypes.length + 1,
    encode: (node) => oneHot<string>(canonicalTypes, canonicalTypeOf(node)),
  },
  { name: 'primary-key', width: () => 1, encode: (node) => [Number(isPrimaryKey(node))] },
]

/** What it is in this list: known edges around it, and how it compares with the query's column (0 for nodes that are no columns). */
const placeBlocks: readonly Block<[NodePlace]>[] = [
  { name: 'log-degree', width: () => 3, encode: (_, __, place) => place.degrees.map((d) => Math.log1p(d)) },
  { name: 'is-query', width: () => 1, encode: (node, _, place) => [Number(node.id === place.query.id)] },
  { name: 'is-candidate', width: () => 1, encode: (_, __, place) => [Number(place.isCandidate)] },
  {
    name: 'compared-with-query',
    width: () => 6,
    encode: (node, _, place) => (place.target ? compare(node, place, place.target) : [0, 0, 0, 0, 0, 0]),
  },
]

function compare(node: CatalogNode, { query, asked, isInQueryTable }: NodePlace, target: TargetName): number[] {
  return [
    Number(asked.name === target.name),
    editSimilarity(asked.name, target.name),
    trigramSimilarity(asked.name, target.name),
    targetFit(asked.name, target),
    Number(canonicalTypeOf(query) === canonicalTypeOf(node)),
    Number(isInQueryTable),
  ]
}

const widthOf = (blocks: readonly { width(spec: FeatureSpec): number }[], spec: FeatureSpec) =>
  blocks.reduce((sum, block) => sum + block.width(spec), 0)
/** Four decimals: rows stay short as text, and are the same bits on every machine. */
const rounded = (value: number) => Math.round(value * 1e4) / 1e4 || 0

/** Width of a node's row. */
export const nodeFeatureWidth = (spec: FeatureSpec): number => widthOf(ownBlocks, spec) + widthOf(placeBlocks, spec)
/** Width of the query vector: what the column is by itself, then what its table is. */
export const queryFeatureWidth = (spec: FeatureSpec): number => 2 * widthOf(ownBlocks, spec)
/** A name for every place of a node's row: `name[0]`, …, `is-candidate`. */
export const nodeFeatureNames = (spec: FeatureSpec): string[] =>
  [...ownBlocks, ...placeBlocks].flatMap((block) => {
    const width = block.width(spec)
    return width === 1 ? [block.name] : Array.from({ length: width }, (_, i) => `${block.name}[${i}]`)
  })

/** What a node is by itself, as numbers. */
export const encodeOwn = (node: CatalogNode, spec: FeatureSpec): number[] =>
  ownBlocks.flatMap((block) => block.encode(node, spec)).map(rounded)

/** What it is in its place, as numbers; a node's row is the two joined. */
export const encodePlace = (node: CatalogNode, place: NodePlace, spec: FeatureSpec): number[] =>
  placeBlocks.flatMap((block) => block.encode(node, spec, place)).map(rounded)

/** The query vector: zeros for a table that is not known. */
export const encodeQuery = (column: CatalogNode, table: CatalogNode | undefined, spec: FeatureSpec): number[] => [
  ...encodeOwn(column, spec),
  ...(table ? encodeOwn(table, spec) : new Array<number>(widthOf(ownBlocks, spec)).fill(0)),
]
