import { type Rng, seeded } from '../../util/random.js'
import { type Estate, indexEstate } from '../links/estate.js'
import type { DomainTestCases } from './case.js'
import { type Domain, maskedColumns, maskedTables, transferred } from './columns.js'
import { unseenCompositions } from './compositions.js'
import { analogies } from './roles.js'

export interface CaseOptions {
  /** cases of each level at most (default 200) */
  limit?: number
  /** decides what is held out (default seed 0) */
  rng?: Rng
}

/** Several projects as one estate. */
export const joinEstates = (estates: readonly Estate[]): Estate =>
  estates.length === 1
    ? estates[0]!
    : { nodes: estates.flatMap((estate) => estate.nodes), edges: estates.flatMap((estate) => estate.edges) }

/** Nodes by what they belong to, and the edges inside. */
function split({ nodes, edges }: Estate, domainOf: (id: string) => string): Domain[] {
  const parts = new Map<string, { nodes: Estate['nodes'][number][]; edges: Estate['edges'][number][] }>()
  const of = new Map<string, string>()
  for (const node of nodes) {
    const name = domainOf(node.id)
    of.set(node.id, name)
    if (!parts.has(name)) parts.set(name, { nodes: [], edges: [] })
    parts.get(name)!.nodes.push(node)
  }
  for (const edge of edges) {
    const name = of.get(edge.sourceId)
    if (name !== undefined && name === of.get(edge.targetId)) parts.get(name)!.edges.push(edge)
  }
  return [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, estate]) => ({ name, estate }))
}

/** Domains with tables enough to learn of or be asked about. */
const fewestColumns = 3
const isUsable = ({ estate }: Domain) => estate.nodes.filter(({ kind }) => kind === 'Column').length >= fewestColumns

/** The projects of an estate; where there is only one, its databases stand for them. */
export function domainsOf(estate: Estate): { by: 'project' | 'database'; domains: Domain[] } {
  const index = indexEstate(estate)
  const projects = split(estate, (id) => index.groupOf(id, 'project')).filter(isUsable)
  if (projects.length > 1) return { by: 'project', domains: projects }
  return { by: 'database', domains: split(estate, (id) => index.groupOf(id, 'database')).filter(isUsable) }
}

/**
 * Test cases of the five levels of domain intelligence, made of an estate with answers that are known because they were held out: 1 a
 * column's type in a seen table, 2 in an unseen one, 3 a two-hop relation of an unseen composition, 4 types in another project than the one that was
 * learned from, 5 the table with the same part in another project, names removed. Whoever answers learns from `visible` alone: patterns that
 * were learned from the whole estate, as those of `patternSet`, have seen the answers. The same estate and seed give the same cases.
 */
export function createDomainTestCases(
  snapshot: Estate,
  patternSet: { id: string } | null = null,
  { limit = 200, rng = seeded(0) }: CaseOptions = {},
): DomainTestCases {
  const estate: Estate = { nodes: [...snapshot.nodes].sort((a, b) => (a.id < b.id ? -1 : 1)), edges: snapshot.edges }
  const { by, domains } = domainsOf(estate)
  const seen = maskedColumns(estate, limit, rng.fork('columns'))
  const unseen = maskedTables(estate, limit, rng.fork('tables'))
  const composed = unseenCompositions(estate, limit, rng.fork('compositions'))
  return {
    cases: [
      ...seen.cases,
      ...unseen.cases,
      ...composed.cases,
      ...transferred(domains, limit, rng.fork('transfer')),
      ...analogies(domains, limit, rng.fork('analogies')),
    ],
    visible: {
      ...Object.fromEntries(domains.map(({ name, estate: own }) => [name, own])),
      ...{ L1: seen.visible, L2: unseen.visible, L3: composed.visible },
    },
    domains: by,
    patternSetId: patternSet?.id ?? null,
  }
}
