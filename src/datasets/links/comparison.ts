import { nameTokens } from '../../util/words.js'
import type { CatalogNode, NodeKind } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import { nameFit } from '../tasks/rules.js'
import type { Known, LinkQuestion, LinkTask } from '../tasks/task.js'
import { canonicalTypeOf, type EstateIndex, remember } from './estate.js'
import { dice, editSimilarity, type Spelling, sharedEnding } from './names.js'

/** Where one score of a node stands among those of all nodes of its group that could be asked as well: what fits means little where ten do. */
export interface Rank {
  value: number
  /** nodes of its group of a higher score */
  better: number
  /** nodes of its group of the same score, itself not counted */
  equal: number
  /** the highest score of any other node of the group */
  bestOther: number
}

/** How a node fares among all nodes of its group that could be asked as well. */
export interface Standing {
  /** by the fit of its name to the query's (see `targetFit`) */
  fit: Rank
  /** by the task's rule of thumb */
  rule: Rank
  /** nodes of its group of the very same name, itself not counted */
  namesakes: number
}

export interface Comparison {
  name: string
  of(query: CatalogNode, node: CatalogNode, index: EstateIndex, standing: Standing): number
}

const spelled =
  (of: (query: Spelling, node: Spelling) => number): Comparison['of'] =>
  (query, node, index) =>
    of(index.spelling(query), index.spelling(node))

const comments = new WeakMap<CatalogNode, ReadonlySet<string>>()
function commentWords(node: CatalogNode): ReadonlySet<string> {
  const known = comments.get(node)
  if (known) return known
  const { comment, description } = node.properties
  const text = comment ?? description
  const words = new Set(typeof text === 'string' ? nameTokens(text) : [])
  comments.set(node, words)
  return words
}

/** How a node compares with the query: numbers from 0 to 1 unless said otherwise. */
export const comparisons: readonly Comparison[] = [
  { name: 'same-name', of: spelled((q, n) => Number(q.name === n.name)) },
  { name: 'edit', of: spelled((q, n) => editSimilarity(q.name, n.name)) },
  { name: 'trigrams', of: spelled((q, n) => dice(q.trigrams, n.trigrams)) },
  { name: 'fit', of: (_, __, ___, { fit }) => fit.value },
  // customer_id beside customers, home_address_id beside addresses
  { name: 'stem-of-owner', of: spelled((q, n) => editSimilarity(q.stem, n.owner)) },
  { name: 'head-of-owner', of: spelled((q, n) => editSimilarity(q.head, n.ownerHead)) },
  { name: 'same-ending', of: spelled((q, n) => sharedEnding(q.words, n.words)) },
  { name: 'words', of: spelled((q, n) => dice(q.stemWords, n.allWords)) },
  { name: 'owners', of: spelled((q, n) => editSimilarity(q.owner, n.owner)) },
  { name: 'owner-words', of: spelled((q, n) => dice(q.ownerWords, n.ownerWords)) },
  // the query's owner speaks of the node's: student_course of students
  { name: 'owner-mentioned', of: spelled((q, n) => Number(n.ownerHead !== '' && q.ownerWords.has(n.ownerHead))) },
  { name: 'same-type', of: (q, n) => Number(canonicalTypeOf(q) === canonicalTypeOf(n)) },
  { name: 'same-owner', of: (q, n, index) => Number(index.ownerOf(q.id)?.id === index.ownerOf(n.id)?.id) },
  { name: 'comments', of: (q, n) => dice(commentWords(q), commentWords(n)) },
  { name: 'rank-of-fit', of: (_, __, ___, { fit }) => reciprocal(fit) },
  { name: 'rank-of-rule', of: (_, __, ___, { rule }) => reciprocal(rule) },
  // -1 to 1
  { name: 'lead-in-fit', of: (_, __, ___, { fit }) => lead(fit) },
  { name: 'lead-in-rule', of: (_, __, ___, { rule }) => lead(rule) },
  // 0 and up
  { name: 'rule', of: (_, __, ___, { rule }) => rule.value / 2 },
  { name: 'log-namesakes', of: (_, __, ___, { namesakes }) => Math.log1p(namesakes) },
]

/** Ties share their places, as in the expectation over all orders. */
const reciprocal = ({ better, equal }: Rank): number => 1 / (1 + better + equal / 2)
const lead = ({ value, bestOther }: Rank): number => Math.max(-1, Math.min(1, value - bestOther))

/** All of a group but the query: scores, highest first, and names. */
interface Field {
  fits: Float64Array
  rules: Float64Array
  names: ReadonlyMap<string, number>
}

/** Standings of nodes for one query; a group is looked through once. */
export class Standings {
  private readonly fields = new Map<string, Field>()
  private readonly scores = new Map<string, { fit: number; rule: number }>()
  private readonly task: LinkTask
  private readonly kinds: readonly NodeKind[]
  constructor(
    private readonly known: Known,
    private readonly query: CatalogNode,
    private readonly spec: LinkQuestion,
  ) {
    this.task = tasks[spec.task]
    this.kinds = this.task.kinds(spec.level)
  }

  /** null for a node that could not be asked */
  of(node: CatalogNode): Standing | null {
    if (!this.kinds.includes(node.kind)) return null
    const { index } = this.known
    const group = index.groupOf(node.id, this.spec.group)
    const { fits, rules, names } = remember(this.fields, group, () => this.fieldOf(group))
    const { fit, rule } = this.scoresOf(node)
    const isInField = node.id !== this.query.id
    const namesakes = Math.max(0, (names.get(index.spelling(node).name) ?? 0) - 1)
    return { fit: rankOf(fit, fits, isInField), rule: rankOf(rule, rules, isInField), namesakes }
  }

  private scoresOf(node: CatalogNode): { fit: number; rule: number } {
    const { query, known } = this
    return remember(this.scores, node.id, () => ({ fit: nameFit(query, node, known), rule: this.task.rule(query, node, known) }))
  }

  private fieldOf(group: string): Field {
    const { index } = this.known
    const members = index.membersOf(group, this.spec.group, this.kinds)
    const names = new Map<string, number>()
    for (const node of members) {
      const { name } = index.spelling(node)
      names.set(name, (names.get(name) ?? 0) + 1)
    }
    const scores = members.filter(({ id }) => id !== this.query.id).map((node) => this.scoresOf(node))
    const falling = (values: number[]) => Float64Array.from(values).sort().reverse()
    return { fits: falling(scores.map((s) => s.fit)), rules: falling(scores.map((s) => s.rule)), names }
  }
}

/** `falling`: the scores of all, its own among them where `isInField`. */
function rankOf(value: number, falling: Float64Array, isInField: boolean): Rank {
  const better = countAbove(falling, value)
  const equal = Math.max(0, countFrom(falling, value) - better - Number(isInField))
  // without itself, the best of the others is the first one, or the second where it is the only best
  const bestOther = better > 0 || equal > 0 || !isInField ? falling[0] : falling[1]
  return { value, better, equal, bestOther: bestOther ?? 0 }
}

/** How many of numbers that fall are above `value`, and how many are at least as high. */
const countAbove = (falling: Float64Array, value: number): number => firstWhere(falling, (x) => x <= value)
const countFrom = (falling: Float64Array, value: number): number => firstWhere(falling, (x) => x < value)

function firstWhere(values: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(values[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
