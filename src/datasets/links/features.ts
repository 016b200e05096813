import { nameTokens } from '../../util/words.js'
import { type CatalogNode, canonicalTypes } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import type { Known } from '../tasks/task.js'
import { comparisons, type Standing } from './comparison.js'
import { canonicalTypeOf, type EstateIndex, isPrimaryKey } from './estate.js'
import { characterGrams, hashFeatures } from './hashing.js'
import { editSimilarity } from './names.js'
import type { FeatureSpec } from './spec.js'

/** Where a node stands in the list that is being encoded. */
export interface NodePlace {
  query: CatalogNode
  isCandidate: boolean
  known: Known
  /** how it fares among all that could be asked; null for a node that could not */
  standing: Standing | null
}

interface Block<Arguments extends unknown[]> {
  name: string
  width(spec: FeatureSpec): number
  encode(node: CatalogNode, spec: FeatureSpec, ...rest: Arguments): number[]
}

const kinds = ['Table', 'View', 'Column', 'ControlMJob', 'ControlMFolder', 'ControlMCondition']

const oneHot = <T>(options: readonly T[], value: T): number[] => [
  ...options.map((o) => Number(o === value)),
  Number(!options.includes(value)),
]
/** What people wrote about a node. */
export const commentOf = ({ properties }: CatalogNode): string => {
  const value = properties['comment'] ?? properties['description']
  return typeof value === 'string' ? value : ''
}

/** What a node is by itself and among its owner's parts. */
const ownBlocks: readonly Block<[EstateIndex]>[] = [
  {
    name: 'name',
    width: (spec) => spec.nameBuckets,
    encode: (node, spec) => hashFeatures(characterGrams(nameTokens(node.name), spec.gramSizes), spec.nameBuckets),
  },
  {
    name: 'comment',
    width: (spec) => spec.commentBuckets,
    encode: (node, spec) => hashFeatures(characterGrams(nameTokens(commentOf(node)), spec.gramSizes), spec.commentBuckets),
  },
  { name: 'kind', width: () => kinds.length + 1, encode: (node) => oneHot<string>(kinds, node.kind) },
  {
    name: 'canonical-type',
    width: () => canonicalTypes.length + 1,
    encode: (node) => oneHot<string>(canonicalTypes, canonicalTypeOf(node)),
  },
  { name: 'primary-key', width: () => 1, encode: (node) => [Number(isPrimaryKey(node))] },
  {
    name: 'sole-key',
    width: () => 1,
    encode: (node, _, index) => [Number(isPrimaryKey(node) && siblingsOf(node, index).filter(isPrimaryKey).length === 1)],
  },
  {
    // a name that speaks of its own owner: races.raceId, campuses.id
    name: 'named-for-owner',
    width: () => 2,
    encode(node, _, index) {
      const { stem, owner, head, ownerHead } = index.spelling(node)
      return owner === '' ? [0, 0] : [stem === '' ? 1 : editSimilarity(stem, owner), head === '' ? 1 : editSimilarity(head, ownerHead)]
    },
  },
  { name: 'bare-key-name', width: () => 1, encode: (node, _, index) => [Number(index.spelling(node).stem === '')] },
  {
    name: 'log-position',
    width: () => 1,
    encode: (node, _, index) => [Math.log1p(Math.max(0, siblingsOf(node, index).indexOf(node)))],
  },
  { name: 'log-siblings', width: () => 1, encode: (node, _, index) => [Math.log1p(siblingsOf(node, index).length)] },
]

function siblingsOf(node: CatalogNode, index: EstateIndex): readonly CatalogNode[] {
  const owner = index.ownerOf(node.id)
  return owner ? index.partsOf(owner.id) : []
}

/** Visible links that lead to the node, that leave it, and all other edges (log). */
function degrees(node: CatalogNode, spec: FeatureSpec, { known }: NodePlace): number[] {
  const { label, walked } = tasks[spec.task]
  const count = [0, 0, 0]
  for (const edge of known.edges(node.id, walked)) count[edge.label !== label ? 2 : edge.targetId === node.id ? 0 : 1]!++
  return count.map((d) => Math.log1p(d))
}

/** What it is in this list: known edges around it, and how it compares with the query (0 for nodes that could not be asked). */
const placeBlocks: readonly Block<[NodePlace]>[] = [
  { name: 'log-degree', width: () => 3, encode: degrees },
  { name: 'is-query', width: () => 1, encode: (node, _, place) => [Number(node.id === place.query.id)] },
  { name: 'is-candidate', width: () => 1, encode: (_, __, place) => [Number(place.isCandidate)] },
  {
    name: 'compared-with-query',
    width: () => comparisons.length,
    encode: (node, _, { query, known, standing }) => comparisons.map(({ of }) => (standing ? of(query, node, known.index, standing) : 0)),
  },
  {
    name: 'evidence',
    width: (spec) => tasks[spec.task].evidence.length,
    encode: (node, spec, { query, known, standing }) => tasks[spec.task].evidence.map(({ of }) => (standing ? of(query, node, known) : 0)),
  },
]

const widthOf = (blocks: readonly { width(spec: FeatureSpec): number }[], spec: FeatureSpec) =>
  blocks.reduce((sum, block) => sum + block.width(spec), 0)
/** Four decimals: rows stay short as text, and are the same bits on every machine. */
const rounded = (value: number) => Math.round(value * 1e4) / 1e4 || 0

/** Width of a node's row. */
export const nodeFeatureWidth = (spec: FeatureSpec): number => widthOf(ownBlocks, spec) + widthOf(placeBlocks, spec)
/** Width of the query vector: what the query is by itself, then what its owner is. */
export const queryFeatureWidth = (spec: FeatureSpec): number => 2 * widthOf(ownBlocks, spec)

/** A name for every place of a node's row: `name[0]`, …, `is-candidate`, …, `compared-with-query same-name`. */
export function nodeFeatureNames(spec: FeatureSpec): string[] {
  const parts = new Map([
    ['compared-with-query', comparisons.map(({ name }) => name)],
    ['evidence', tasks[spec.task].evidence.map(({ name }) => name)],
  ])
  return [...ownBlocks, ...placeBlocks].flatMap(({ name, width }) => {
    const named = parts.get(name)
    if (named) return named.map((part) => `${name} ${part}`)
    return width(spec) === 1 ? [name] : Array.from({ length: width(spec) }, (_, i) => `${name}[${i}]`)
  })
}

/** What a node is by itself, as numbers. */
export const encodeOwn = (node: CatalogNode, index: EstateIndex, spec: FeatureSpec): number[] =>
  ownBlocks.flatMap((block) => block.encode(node, spec, index)).map(rounded)

/** What it is in its place, as numbers; a node's row is the two joined. */
export const encodePlace = (node: CatalogNode, place: NodePlace, spec: FeatureSpec): number[] =>
  placeBlocks.flatMap((block) => block.encode(node, spec, place)).map(rounded)

/** The query vector: zeros for an owner that is not known. */
export function encodeQuery(query: CatalogNode, index: EstateIndex, spec: FeatureSpec): number[] {
  const owner = index.ownerOf(query.id)
  const own = encodeOwn(query, index, spec)
  return [...own, ...(owner ? encodeOwn(owner, index, spec) : own.map(() => 0))]
}
