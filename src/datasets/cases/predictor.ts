import { columnNullable, columnOrdinal, columnTypeText } from '../../catalog/column.js'
import { guessColumnType } from '../../patterns/column-type-guess.js'
import { type ColumnPatterns, emptyColumnTypes, learnColumnTypes, summarizeColumnTypes } from '../../patterns/column-types.js'
import { learnRelationships, predictRelationshipType, type RelationshipPatterns } from '../../patterns/relationships.js'
import { nameTokens } from '../../util/words.js'
import { type Estate, type EstateIndex, indexEstate, remember } from '../links/estate.js'
import { anonymousRoles } from './anonymous.js'
import type { Predictor, Question } from './case.js'
import { baseTypeOf } from './columns.js'
import { roleDistance } from './role-distance.js'

/** What our learners make of an estate, each when it is first needed. */
interface Knowledge {
  index: EstateIndex
  columns(): ColumnPatterns
  /** whole names of columns -> their types, counted */
  names(): ReadonlyMap<string, ReadonlyMap<string, number>>
  relationships(): RelationshipPatterns
  /** `source\ttarget` -> labels between the two */
  labels(): ReadonlyMap<string, readonly string[]>
  roles(): ReturnType<typeof anonymousRoles>
}

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | null = null
  return () => (made ??= { value: make() }).value
}

const titleOf = (name: string) => nameTokens(name).join('_')

/** Columns as if all had come at one moment: cases ask what is, not what was. */
function learnColumns(estate: Estate, index: EstateIndex): ColumnPatterns {
  const at = new Date(0)
  const events = estate.nodes.flatMap((node) => {
    const type = node.kind === 'Column' && baseTypeOf(node) !== null ? columnTypeText(node.properties) : null
    if (type === null) return []
    const { name, properties } = node
    const place = { nullable: columnNullable(properties), ordinal: columnOrdinal(properties) }
    return [{ at, columnId: node.id, column: { name, type, ...place, table: index.ownerOf(node.id)?.id ?? '' } }]
  })
  return summarizeColumnTypes(learnColumnTypes(events, emptyColumnTypes()), at)
}

function countNames(estate: Estate): Map<string, Map<string, number>> {
  const names = new Map<string, Map<string, number>>()
  for (const node of estate.nodes) {
    const type = node.kind === 'Column' ? baseTypeOf(node) : null
    if (type === null) continue
    const counts = remember(names, titleOf(node.name), () => new Map<string, number>())
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return names
}

function listLabels(estate: Estate): Map<string, string[]> {
  const labels = new Map<string, string[]>()
  for (const { sourceId, label, targetId } of estate.edges) remember(labels, `${sourceId}\t${targetId}`, () => []).push(label)
  return labels
}

const knowledgeOf = (estate: Estate): Knowledge => {
  const index = indexEstate(estate)
  return {
    index,
    columns: once(() => learnColumns(estate, index)),
    names: once(() => countNames(estate)),
    relationships: once(() => learnRelationships(estate.nodes, estate.edges)),
    labels: once(() => listLabels(estate)),
    roles: once(() => anonymousRoles(estate)),
  }
}

type Asked<A extends Question['ask']> = Extract<Question, { ask: A }>

/** Columns that a key joins have one type: what a visible one has weighs as much as so many columns of the same name. */
const keyWeight = 5
/** What the guess by last word, table and place weighs beside columns of the very same name. */
const guessWeight = 1

/** The likeliest type by name, table and place, by columns of the same whole name, and by those that keys join it to. */
function columnType({ columnId, column, tableId, ordinal }: Asked<'column-type'>, known: Knowledge): string | null {
  const guesses = guessColumnType(known.columns(), { column, table: tableId, ...(ordinal === null ? {} : { ordinal }) })
  const weights = new Map(guesses.map(({ type, probability }) => [type, guessWeight * probability]))
  const add = (type: string, weight: number) => weights.set(type, (weights.get(type) ?? 0) + weight)
  for (const [type, count] of known.names().get(titleOf(column)) ?? []) add(type, count)
  for (const { sourceId, targetId } of known.index.incident(columnId, ['REFERENCES'])) {
    const other = known.index.node(sourceId === columnId ? targetId : sourceId)
    const type = other?.kind === 'Column' ? baseTypeOf(other) : null
    if (type) add(type, keyWeight)
  }
  return [...weights].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
}

/** Each part by itself: the label that is seen between the two nodes, else the likeliest between their kinds. */
function twoHops(question: Asked<'two-hops'>, known: Knowledge): string | null {
  const { sourceId, sourceKind, middleId, middleKind, targetId, targetKind } = question
  const label = (from: string, fromKind: string, to: string, toKind: string) =>
    known.labels().get(`${from}\t${to}`)?.[0] ?? predictRelationshipType(known.relationships(), fromKind, toKind)[0]?.label
  const [first, second] = [label(sourceId, sourceKind, middleId, middleKind), label(middleId, middleKind, targetId, targetKind)]
  return first && second ? `${first}>${second}` : null
}

/** The candidate whose columns, keys and neighbours are most alike. */
function role({ role: asked, candidates }: Asked<'role'>, known: Knowledge): string | null {
  const roles = known.roles()
  const ranked = candidates.map((id) => ({ id, distance: roleDistance(asked, roles(id)) }))
  return ranked.sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))[0]?.id ?? null
}

/** A predictor made of our own learners: types of columns, kinds of relationships, structural likeness of tables. */
export function estatePredictor(): Predictor {
  const knowledge = new WeakMap<Estate, Knowledge>()
  return (question, visible) => {
    const known = knowledge.get(visible) ?? knowledgeOf(visible)
    knowledge.set(visible, known)
    if (question.ask === 'column-type') return columnType(question, known)
    return question.ask === 'two-hops' ? twoHops(question, known) : role(question, known)
  }
}
