import type { Rng } from '../../util/random.js'
import type { CatalogEdge } from '../../vocabulary.js'
import { type Estate, remember } from '../links/estate.js'
import type { TestCase } from './case.js'

/** Edges at a node, by the kind of the other end and the label. */
type Parts = Map<string, CatalogEdge[]>

interface Walk {
  middleId: string
  into: string
  out: string
}

/** Nodes in the middle of walks that are looked at, at most. */
const mostMiddles = 20_000

/**
 * Level 3: compositions of two relations that occur nowhere in what is visible, though both of their parts do. A third of all kinds of
 * walk (kind -label-> kind -label-> kind) is held out: at every node in the middle of one, either the edges of its first part or those of
 * its second are taken away. Asked are the two labels.
 */
export function unseenCompositions(estate: Estate, limit: number, rng: Rng): { cases: TestCase[]; visible: Estate } {
  const kinds = new Map<string, string>(estate.nodes.map(({ id, kind }) => [id, kind]))
  const { middles, into, out } = partsOf(estate, kinds, rng)
  const walks = walksOf(middles, into, out)
  const eligible = [...walks].filter(([, of]) => of.length >= 2).sort(([a], [b]) => (a < b ? -1 : 1))
  const held = rng.sample(eligible, Math.ceil(eligible.length / 3))
  const gone = new Set<CatalogEdge>()
  for (const [, of] of held)
    for (const [i, { middleId, into: first, out: second }] of rng.shuffle(of).entries()) {
      const part = i % 2 === 0 ? into.get(middleId)!.get(first)! : out.get(middleId)!.get(second)!
      for (const edge of part) gone.add(edge)
    }
  const visible = { nodes: estate.nodes, edges: estate.edges.filter((edge) => !gone.has(edge)) }
  const seen = new Set(visible.edges.map((edge) => partName(edge, kinds)))
  const asked = held.filter(([, of]) => isTold(of[0]!, seen, kinds, into, out))
  const common = commonest(asked)
  const choices = new Set([...walks.keys()].map(labelsOf)).size
  const share = Math.ceil(limit / Math.max(1, asked.length))
  const cases = asked.flatMap(([name, of]) =>
    rng.sample(of, share).map(({ middleId, into: first, out: second }): TestCase => {
      const { sourceId } = rng.sample(into.get(middleId)!.get(first)!, 1)[0]!
      const { targetId } = rng.sample(out.get(middleId)!.get(second)!, 1)[0]!
      const [sourceKind, middleKind, targetKind] = [kinds.get(sourceId)!, kinds.get(middleId)!, kinds.get(targetId)!]
      return {
        ...{ id: `L3 ${sourceId} ${middleId} ${targetId} ${labelsOf(name)}`, level: 3, from: 'L3', group: name },
        question: { ask: 'two-hops', sourceId, sourceKind, middleId, middleKind, targetId, targetKind },
        expected: labelsOf(name),
        majority: common ?? '',
        choices,
      }
    }),
  )
  return { cases: rng.sample(cases, limit), visible }
}

const separator = '\t'
const partName = ({ sourceId, label, targetId }: CatalogEdge, kinds: ReadonlyMap<string, string>) =>
  [kinds.get(sourceId), label, kinds.get(targetId)].join(separator)
/** `FIRST>SECOND` of the name of a walk: kind, label, kind, label, kind */
const labelsOf = (walk: string): string => {
  const [, first, , second] = walk.split(separator)
  return `${first}>${second}`
}

function partsOf({ edges }: Estate, kinds: ReadonlyMap<string, string>, rng: Rng) {
  const [into, out] = [new Map<string, Parts>(), new Map<string, Parts>()]
  for (const edge of edges) {
    const [source, target] = [kinds.get(edge.sourceId), kinds.get(edge.targetId)]
    if (!source || !target) continue
    remember(
      remember(into, edge.targetId, () => new Map()),
      `${source}${separator}${edge.label}`,
      () => [] as CatalogEdge[],
    ).push(edge)
    remember(
      remember(out, edge.sourceId, () => new Map()),
      `${edge.label}${separator}${target}`,
      () => [] as CatalogEdge[],
    ).push(edge)
  }
  const all = [...into.keys()].filter((id) => out.has(id)).sort()
  return { into, out, middles: (all.length > mostMiddles ? rng.sample(all, mostMiddles) : all).map((id) => ({ id, kind: kinds.get(id)! })) }
}

function walksOf(
  middles: readonly { id: string; kind: string }[],
  into: ReadonlyMap<string, Parts>,
  out: ReadonlyMap<string, Parts>,
): Map<string, Walk[]> {
  const walks = new Map<string, Walk[]>()
  for (const { id: middleId, kind } of middles)
    for (const first of into.get(middleId)!.keys())
      for (const second of out.get(middleId)!.keys())
        remember(walks, [first, kind, second].join(separator), () => []).push({ middleId, into: first, out: second })
  return walks
}

/** Whether both parts of a held-out walk can still be seen somewhere. */
function isTold(
  { middleId, into: first, out: second }: Walk,
  seen: ReadonlySet<string>,
  kinds: ReadonlyMap<string, string>,
  into: ReadonlyMap<string, Parts>,
  out: ReadonlyMap<string, Parts>,
): boolean {
  const parts = [into.get(middleId)!.get(first)![0]!, out.get(middleId)!.get(second)![0]!]
  return parts.every((edge) => seen.has(partName(edge, kinds)))
}

/** The two labels of the most walks that are asked: no answer that is always the same can be right more often. */
function commonest(walks: readonly (readonly [string, readonly Walk[]])[]): string | null {
  const counts = new Map<string, number>()
  for (const [name, of] of walks) counts.set(labelsOf(name), (counts.get(labelsOf(name)) ?? 0) + of.length)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
}
