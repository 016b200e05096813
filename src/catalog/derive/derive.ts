import type { Client } from '../../postgres/sql.js'
import type { EdgeFact, NodeFact } from '../fact.js'
import { unfoldAt } from '../ledger/home-store.js'
import { unresolvedOf } from '../resolve/resolve.js'
import { applyDerivedEdges, applyDerivedNodes, closeApply, type DerivePlace, maskStatedEdges, openApply } from './apply-store.js'
import { deriveDependencies } from './dependency-store.js'
import { type DerivedPart, readAdjacentEdges, readRetakenNodes, saveParts, takeParts } from './derivation-store.js'
import { encodeDerived } from './derived-content.js'
import { cutsOf, evaluateAt, type TimedColumn } from './evaluate.js'
import { relationOf } from './open-end.js'
import { hasOpenEnds, type OpenEdge, type OpenTimeline, readOpens, readOpensBehind, readTimeline, readTouchedOpens } from './open-store.js'
import { type ProjectScopes, readScopes } from './scope-store.js'
import { mergeVersions, type Stretch, stretchesOf } from './timeline.js'
import { settleEchoes } from './twin-store.js'

/**
 * Brings what follows from the statements of all snapshots together up to date with what an ingest or a deletion has just written, in
 * the same transaction: the ends that texts leave open (open-end.ts) and DEPENDS_ON (dependency-store.ts). Both are functions of the
 * histories, at every moment of them: so it does not matter which statement came first, and what follows goes when a side of it goes.
 * `isWhole`: whatever was touched, all of the project is derived again.
 */
export async function deriveFacts(client: Client, place: DerivePlace, { isWhole = false } = {}): Promise<void> {
  const scopes = await readScopes(client, place.projectId)
  await openApply(client)
  await deriveOpenEnds(client, place, scopes, isWhole)
  await deriveDependencies(client, place, scopes, isWhole)
  await closeApply(client)
}

async function deriveOpenEnds(client: Client, place: DerivePlace, scopes: ProjectScopes, isWhole: boolean): Promise<void> {
  if (!(await hasOpenEnds(client, scopes.stated))) return
  const touched = await touchedWithFollowers(client, scopes, isWhole)
  const old = await takeParts(client, touched)
  const opens = await readOpens(client, touched)
  const edges = opens.map(({ edge }) => edge)
  const timeline = await readTimeline(client, place.projectId, edges, new Set(old.nodes))
  const { projectId } = place
  const parts = deriveStars(opens.filter(isStar), projectId, timeline)
  for (const open of opens) if (!isStar(open)) parts.push(...partsOf(open, projectId, timeline))
  const made = await saveParts(client, scopes, parts)

  const nodes = [...new Set([...old.nodes, ...made.nodes, ...(await readRetakenNodes(client, scopes.derived))])].sort((a, b) => a - b)
  await unfoldAt(client, projectId, 'select unnest($1::bigint[]) as node', [nodes])
  await applyDerivedNodes(client, place, nodes)
  const adjacent = await readAdjacentEdges(client, scopes.derived, nodes)
  const changed = [...new Set([...old.edges, ...made.edges, ...adjacent])].sort((a, b) => a - b)
  await unfoldAt(client, projectId, columnsOfEdges, [changed])
  await applyDerivedEdges(client, place, changed)
  await maskStatedEdges(client, place, nodes)
  await settleEchoes(client, place, { nodes, edges: changed })
}

/** What texts state of these columns themselves lies beside what follows. */
const columnsOfEdges = `select target as node from edge_key where key = any($1) and label = 'HAS_COLUMN'`

const isStar = ({ edge }: OpenEdge): boolean => 'star' in (unresolvedOf(edge) ?? {})

/** The open edges concerned, and those behind views whose columns they make: these are derived from the ground up, rings included. */
async function touchedWithFollowers(client: Client, scopes: ProjectScopes, isWhole: boolean): Promise<Set<number>> {
  const touched = await readTouchedOpens(client, scopes.stated, isWhole)
  for (let fresh = [...touched]; fresh.length > 0; ) {
    const found = await readOpensBehind(client, scopes.stated, fresh)
    fresh = found.filter((edge) => !touched.has(edge))
    for (const edge of fresh) touched.add(edge)
  }
  return touched
}

/** Views over views over …: more rounds than this only where they stand in a ring. */
const mostRounds = 50

/** The columns of views of `*`, from the ground up: a view's are known when those it reads are. Puts them on the timeline. */
function deriveStars(stars: readonly OpenEdge[], projectId: string, timeline: OpenTimeline): DerivedPart[] {
  const relations = stars.map(({ edge }) => relationOf(edge.targetId)!)
  const said = new Map(relations.map((relation) => [relation, timeline.columns.get(relation) ?? []]))
  for (let round = 1, before = ''; ; round++) {
    const parts = stars.flatMap((star) => partsOf(star, projectId, timeline))
    const columns = columnsOf(parts)
    const told = columns.map(({ value, from, to }) => `${value.id} ${from} ${to} ${value.version}`).join('\n')
    if (told === before || round === mostRounds) {
      for (const { value, from, to } of columns)
        timeline.nodes.set(value.id, [...(timeline.nodes.get(value.id) ?? []), { from, to, value: null }])
      return parts
    }
    before = told
    for (const [relation, stated] of said) timeline.columns.set(relation, [...stated])
    for (const column of columns) timeline.columns.get(column.value.relation)!.push(column)
  }
}

type DerivedColumn = TimedColumn & { version: string; relation: string }

function columnsOf(parts: readonly DerivedPart[]): Stretch<DerivedColumn>[] {
  const byId = new Map<string, Stretch<DerivedColumn>[]>()
  for (const { fact, parentId, version, from, to } of parts) {
    if (fact.fact !== 'node') continue
    const { id, name, qualifiedName, properties } = fact
    const value = { id, name, qualifiedName, properties, isDerived: true, version, relation: relationOf(parentId)! }
    byId.set(id, [...(byId.get(id) ?? []), { from, to, value }])
  }
  return [...byId.values()].flatMap((stretches) => mergeVersions(stretches))
}

const nameOf = (fact: NodeFact | EdgeFact): string =>
  fact.fact === 'node' ? fact.id : [fact.sourceId, fact.label, fact.targetId, fact.discriminator ?? ''].join('\n')

/** What an open edge makes, from when to when. */
const partsOf = ({ key, scope, systemId, pieces }: OpenEdge, projectId: string, timeline: OpenTimeline): DerivedPart[] =>
  pieces.flatMap((piece) => {
    const { edge, file, location } = piece.value
    const cuts = cutsOf(edge, piece, timeline)
    const told = new Map(cuts.map((at) => [at, contentsAt(edge, { projectId, systemId }, timeline, at)]))
    const names = new Set([...told.values()].flatMap((each) => [...each.keys()]))
    const common = { origin: key, scope, parentId: edge.targetId, file, location }
    return [...names].flatMap((name) => {
      const contentAt = (at: number) => told.get(at)!.get(name) ?? null
      const found = stretchesOf(piece, cuts, contentAt, (a, b) => a.version === b.version)
      return found.map(({ from, to, value }) => ({ ...common, from, to, ...value }))
    })
  })

const contentsAt = (edge: EdgeFact, place: { projectId: string; systemId: string }, timeline: OpenTimeline, at: number) =>
  new Map(evaluateAt(edge, place, timeline, at).facts.map((fact) => [nameOf(fact), { fact, ...encodeDerived(fact) }]))
