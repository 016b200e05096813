import { z } from 'zod'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Rng } from '../../util/random.js'
import type { CatalogEdge } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import { encodeCandidates, knownTo } from './candidate-graph.js'
import { type Estate, type EstateIndex, indexEstate, remember } from './estate.js'
import { drawNegatives } from './negatives.js'
import { type FeatureSpec, featureSpecSchema, parseFeatureSpec } from './spec.js'

export const linkListOptions = z.strictObject({
  candidates: z
    .union([z.int().min(2).max(1000), z.literal('all')])
    .default(12)
    .describe('nodes to choose from for each link; "all" takes every one of the group (slower, for a strict evaluation)'),
  hard: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe('share of the negatives that are hard: half of them near in name and of the same type, half keys and popular targets'),
  features: featureSpecSchema.prefault({}).describe('how nodes become numbers, and what is asked'),
})
export type LinkListOptions = z.output<typeof linkListOptions>

/** What a target of the target is worth, as a share of the target: as right a join or a wait, but not what was declared. */
const transitiveShare = 0.5

export interface LinkData {
  /** one a source and group of its targets, in the order of source ids; candidates in random order */
  lists: RankingList[]
  featureSpec: FeatureSpec
  problems: Problem[]
}

/** Says which links make lists; the others stay what they are. Default: every one. */
export type LinkFilter = (link: CatalogEdge) => boolean

/**
 * Ranking lists "what does this link to?" for every link of the task that an estate knows. The candidates of a list are of one group, its
 * `group`: targets in two groups make two lists, so that holding a group out keeps all of its nodes from training. Negatives are never
 * known targets, not even at second hand; each list draws from a generator of its own (named by its source), so that adding a table does
 * not reshuffle the rest. Sampled candidates compare models with each other, with higher numbers than over all (Krichene & Rendle 2020);
 * evaluate with `candidates: 'all'` for the latter.
 */
export function buildLinkLists(
  estate: Estate,
  options: z.input<typeof linkListOptions>,
  rng: Rng,
  isAsked: LinkFilter = () => true,
): LinkData {
  const { features, ...choice } = linkListOptions.parse(options)
  const spec = parseFeatureSpec(features)
  const index = indexEstate(estate)
  const lists: RankingList[] = []
  const problems: Problem[] = []
  for (const question of questionsOf(index, spec, isAsked)) {
    const { sourceId, group, grades } = question
    const name = group === index.groupOf(sourceId, spec.group) ? sourceId : `${sourceId} in ${group}`
    const negatives = chooseNegatives(index, question, choice, spec, rng.fork(`negatives ${name}`))
    if (negatives.length === 0) {
      problems.push(noNegatives(question))
      continue
    }
    const asked = [...grades].filter(([id]) => index.groupOf(id, spec.group) === group).map(([id]) => id)
    const ids = rng.fork(`order ${name}`).shuffle([...asked, ...negatives])
    const list = encodeCandidates(estate, sourceId, ids, spec)
    lists.push({ ...list, candidates: list.candidates.map((c) => ({ ...c, label: grades.get(c.id!) ?? 0 })) })
  }
  return { lists, featureSpec: spec, problems }
}

interface Question {
  sourceId: string
  group: string
  /** relevance of every known target, in any group */
  grades: ReadonlyMap<string, number>
}

function questionsOf(index: EstateIndex, spec: FeatureSpec, isAsked: LinkFilter): Question[] {
  const { label, kinds } = tasks[spec.task]
  const links = new Map<string, CatalogEdge[]>()
  for (const edge of index.edgesOf(label, kinds(spec.level)))
    if (edge.sourceId !== edge.targetId) remember(links, edge.sourceId, () => []).push(edge)
  return [...links].flatMap(([sourceId, edges]) => {
    const groups = new Set(edges.filter(isAsked).map((e) => index.groupOf(e.targetId, spec.group)))
    const grades = groups.size > 0 ? gradesOf(index, sourceId, edges, spec) : new Map<string, number>()
    return [...groups].map((group) => ({ sourceId, group, grades }))
  })
}

function gradesOf(index: EstateIndex, sourceId: string, links: readonly CatalogEdge[], spec: FeatureSpec): Map<string, number> {
  const { label, grade, kinds } = tasks[spec.task]
  const direct = new Map<string, number>()
  for (const link of links) direct.set(link.targetId, Math.max(grade(link), direct.get(link.targetId) ?? 0))
  const grades = new Map(direct)
  for (const [target, own] of direct)
    for (const edge of index.incident(target, [label])) {
      const further = edge.sourceId === target ? index.node(edge.targetId) : undefined
      if (!further || further.id === sourceId || direct.has(further.id) || !kinds(spec.level).includes(further.kind)) continue
      grades.set(further.id, Math.max(own * grade(edge) * transitiveShare, grades.get(further.id) ?? 0))
    }
  return grades
}

function chooseNegatives(
  index: EstateIndex,
  { sourceId, group, grades }: Question,
  { candidates, hard }: Pick<LinkListOptions, 'candidates' | 'hard'>,
  spec: FeatureSpec,
  rng: Rng,
): string[] {
  const kinds = tasks[spec.task].kinds(spec.level)
  const pool = index.membersOf(group, spec.group, kinds).filter(({ id }) => id !== sourceId && !grades.has(id))
  if (candidates === 'all') return pool.map(({ id }) => id)
  const wanted = Math.max(1, candidates - grades.size)
  return drawNegatives(knownTo(index, sourceId, spec), index.node(sourceId)!, pool, { wanted, hard, spec }, rng).map(({ id }) => id)
}

const noNegatives = ({ sourceId, group }: Question): Problem =>
  problem({
    severity: 'warning',
    code: 'no-negatives',
    where: sourceId,
    found: `nothing else to link to in ${group}`,
    expected: 'at least one node that is no target, to learn from the difference',
  })

/** What an estate without lists lacks. */
export const noLinks = (where: string, { task, level }: FeatureSpec): Problem => {
  const { label, kinds, remedy } = tasks[task]
  return problem({
    code: 'no-links',
    where,
    found: `no ${label} edge between nodes of kind ${kinds(level).join(' or ')}`,
    expected: `links to learn task ${task} from`,
    suggestion: remedy,
  })
}
