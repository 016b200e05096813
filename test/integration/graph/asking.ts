import { expect } from 'vitest'
import type { CypherQuery, GraphEngine } from '../../../src/graph/engine.js'
import type { EspalierError } from '../../../src/util/error.js'
import type { EdgeLabel, GraphChange, NodeKind, Properties } from '../../../src/vocabulary.js'

export const node = (id: string, kind: NodeKind = 'Table', properties: Properties = {}): GraphChange => ({
  op: 'upsert-node',
  id,
  kind,
  properties: { name: id, ...properties },
})
export const edge = (
  sourceId: string,
  label: EdgeLabel,
  targetId: string,
  properties: Properties = {},
  discriminator = '',
): GraphChange => ({
  op: 'upsert-edge',
  sourceId,
  label,
  targetId,
  discriminator,
  properties,
})
export const withoutNode = (id: string, kind: NodeKind = 'Table'): GraphChange => ({ op: 'delete-node', id, kind })
export const withoutEdge = (sourceId: string, label: EdgeLabel, targetId: string, discriminator = ''): GraphChange => ({
  op: 'delete-edge',
  sourceId,
  label,
  targetId,
  discriminator,
})

/** Questions to an engine. */
export function asking(engine: () => GraphEngine) {
  const rows = async (text: string, parameters: CypherQuery['parameters'] = {}) =>
    (await engine().read({ text, parameters, limit: 100_000 })).rows
  const refusal = async (query: CypherQuery): Promise<EspalierError> =>
    engine()
      .read(query)
      .then(
        () => expect.fail(`let through: ${query.text}`),
        (error) => error,
      )
  /** The graph of the ids that begin so (all) as sorted lines, the position's node left out. */
  const dump = async (prefix = '') => [
    ...(await rows('MATCH (n:Node) WHERE n.id STARTS WITH $prefix RETURN n', { prefix })).map((r) => JSON.stringify(sorted(r))).sort(),
    ...(await rows('MATCH (n:Node)-[r]->(:Node) WHERE n.id STARTS WITH $prefix RETURN r', { prefix }))
      .map((r) => JSON.stringify(sorted(r)))
      .sort(),
  ]
  return { rows, refusal, dump }
}

/** The value with the keys of its objects sorted. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  )
}
