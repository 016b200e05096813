import { z } from 'zod'
import type { CandidateGraph, RankingList } from '../../models/ranking-list.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Rng } from '../../util/random.js'
import type { CatalogNode } from '../../vocabulary.js'
import { encodeCandidates } from '../candidate-graph.js'
import { canonicalTypeOf, type Estate, type EstateIndex, indexEstate, isPrimaryKey } from '../estate.js'
import { type FeatureSpec, featureSpecSchema } from '../features.js'
import { targetFit } from '../names.js'

export const foreignKeyOptionsSchema = z.strictObject({
  candidates: z
    .union([z.int().min(2).max(1000), z.literal('all')])
    .default(12)
    .describe('columns to choose from for each foreign key; "all" takes every column of the database (slower, for a strict evaluation)'),
  hard: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe(
      'share of the negatives that are hard: half of them near in name and of the same type, half primary keys and popular targets',
    ),
  features: featureSpecSchema.prefault({}).describe('how columns become numbers'),
})
export type ForeignKeyOptions = z.output<typeof foreignKeyOptionsSchema>

/** Relevance of a column that the key is declared to reference. */
const targetGrade = 1
/** Relevance of a column that the target references in turn: a join on it is as right, but it is not what was declared. */
const transitiveGrade = 0.5

export interface ForeignKeyData {
  /** one a column with foreign keys, in the order of column ids; candidates in random order */
  lists: RankingList[]
  featureSpec: FeatureSpec
  problems: Problem[]
}

/**
 * Ranking lists "which column does this column reference?" for every foreign key that an estate declares. Negatives come from the
 * target's own database, never from known targets; each list draws from a generator of its own (named by its column), so that adding a
 * table does not reshuffle the rest. Candidates are sampled: numbers on such lists compare models with each other, and are higher than
 * over all columns (Krichene & Rendle 2020); evaluate with `candidates: 'all'` for the latter.
 */
export function buildForeignKeyLists(estate: Estate, options: z.input<typeof foreignKeyOptionsSchema>, rng: Rng): ForeignKeyData {
  const parsed = foreignKeyOptionsSchema.parse(options)
  const index = indexEstate(estate)
  const lists: RankingList[] = []
  const problems: Problem[] = []
  for (const [sourceId, targets] of targetsBySource(index)) {
    const grades = gradesOf(index, sourceId, targets)
    const negatives = chooseNegatives(index, sourceId, grades, parsed, rng.fork(`negatives ${sourceId}`))
    if (negatives.length === 0) {
      problems.push(noNegatives(index, sourceId))
      continue
    }
    const ids = rng.fork(`order ${sourceId}`).shuffle([...grades.keys(), ...negatives])
    const list = encodeCandidates(estate, sourceId, ids, parsed.features)
    lists.push({ ...list, candidates: list.candidates.map((c) => withLabel(c, grades.get(c.id!) ?? 0)) })
  }
  return { lists, featureSpec: parsed.features, problems }
}

const withLabel = (candidate: CandidateGraph, label: number): CandidateGraph => ({ ...candidate, label })

function targetsBySource(index: EstateIndex): Map<string, string[]> {
  const targets = new Map<string, string[]>()
  for (const { sourceId, targetId } of index.references) {
    if (sourceId === targetId) continue
    const known = targets.get(sourceId)
    if (known) known.push(targetId)
    else targets.set(sourceId, [targetId])
  }
  return targets
}

function gradesOf(index: EstateIndex, sourceId: string, targets: readonly string[]): Map<string, number> {
  const grades = new Map(targets.map((id) => [id, targetGrade]))
  for (const target of targets)
    for (const edge of index.incident(target)) {
      const further = edge.label === 'REFERENCES' && edge.sourceId === target ? edge.targetId : sourceId
      if (further !== sourceId && !grades.has(further)) grades.set(further, transitiveGrade)
    }
  return grades
}

function noNegatives(index: EstateIndex, sourceId: string): Problem {
  return problem({
    severity: 'warning',
    code: 'no-negatives',
    where: sourceId,
    found: `no other column in ${index.groupOf(sourceId)}`,
    expected: 'at least one column that the key does not reference, to learn from the difference',
  })
}

const maxCompared = 10_000

/** Columns that are known not to be targets, as far as the catalog says: hard ones first, then random ones. */
function chooseNegatives(
  index: EstateIndex,
  sourceId: string,
  grades: ReadonlyMap<string, number>,
  { candidates, hard }: ForeignKeyOptions,
  rng: Rng,
): string[] {
  const groups = new Set([...grades.keys(), sourceId].map((id) => index.groupOf(id)))
  const pool = [...groups].flatMap((g) => index.columnsIn(g)).filter((c) => c.id !== sourceId && !grades.has(c.id))
  if (candidates === 'all') return pool.map((c) => c.id)
  const wanted = Math.max(1, candidates - grades.size)
  const near = Math.round((wanted * hard) / 2)
  const query = index.node(sourceId)!
  // Comparing names takes a microsecond a column: a sample of a very large database has near names enough.
  const compared = sampleOf(pool, maxCompared, rng)
  const chosen = new Set(best(compared, near, (c) => nameFit(index, query, c) + (sameType(query, c) ? 0.25 : 0)))
  // Popular ones may be near ones too: twice as many are looked at.
  addUpTo(
    chosen,
    best(pool, 2 * near, (c) => index.timesReferenced(c.id) + (isPrimaryKey(c) ? 0.5 : 0)),
    2 * near,
  )
  addUpTo(chosen, rng.shuffle(sampleOf(pool, 4 * wanted, rng)), wanted)
  return [...chosen].map((c) => c.id)
}

function addUpTo<T>(chosen: Set<T>, items: readonly T[], size: number): void {
  for (const item of items) if (chosen.size < size) chosen.add(item)
}

/** k items, or a few less, drawn one by one: a shuffle of every column of a large estate would cost more than all the rest. */
const sampleOf = <T>(items: readonly T[], k: number, rng: Rng): readonly T[] =>
  items.length <= k ? items : [...new Set(Array.from({ length: k }, () => items[rng.integer(items.length)]!))]

const sameType = (a: CatalogNode, b: CatalogNode) => canonicalTypeOf(a) === canonicalTypeOf(b)
const nameFit = (index: EstateIndex, query: CatalogNode, column: CatalogNode) =>
  targetFit(index.targetName(query).name, index.targetName(column))

/** The k columns of the highest score, highest first; of equal ones those that come first. */
function best(columns: readonly CatalogNode[], k: number, score: (column: CatalogNode) => number): CatalogNode[] {
  const top: { column: CatalogNode; score: number }[] = []
  for (const column of columns) {
    const own = score(column)
    if (top.length >= k && own <= (top.at(-1)?.score ?? Number.POSITIVE_INFINITY)) continue
    let place = top.length
    while (place > 0 && top[place - 1]!.score < own) place--
    top.splice(place, 0, { column, score: own })
    if (top.length > k) top.pop()
  }
  return top.map(({ column }) => column)
}

export interface CandidateTargetOptions {
  /** columns at most (default 64) */
  limit?: number
  /** also those that the catalog already knows to be referenced (default false: only new links are asked for) */
  includeKnown?: boolean
}

/**
 * The columns worth ranking as targets of `sourceId` when no list is given: those of its database, other than itself, by name fit, type,
 * and whether they are keys. A recall step: it decides what is asked, not the answer.
 */
export function candidateTargets(
  estate: Estate,
  sourceId: string,
  { limit = 64, includeKnown = false }: CandidateTargetOptions = {},
): string[] {
  const index = indexEstate(estate)
  const query = index.node(sourceId)
  if (query?.kind !== 'Column') return []
  const known = new Set(index.references.filter((e) => e.sourceId === sourceId).map((e) => e.targetId))
  const pool = index.columnsIn(index.groupOf(sourceId)).filter((c) => c.id !== sourceId && (includeKnown || !known.has(c.id)))
  const score = (c: CatalogNode) => nameFit(index, query, c) + (sameType(query, c) ? 0.25 : 0) + (isPrimaryKey(c) ? 0.5 : 0)
  return best(pool, limit, score).map((c) => c.id)
}
