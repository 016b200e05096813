import type { EdgeLabel } from '../../vocabulary.js'
import { isHome } from '../ledger/home-store.js'

/**
 * Edges lie in two places, and these are the views of them, alike in their columns: rows of their own, and the rows of columns that also
 * tell of the HAS_COLUMN to them (ledger/home-store.ts). Who reads edges reads both; one statement serves.
 */
export interface EdgePlace {
  view: 'written_edge' | 'home_edge'
  /** Joins to a row `h` that `targetId` and `properties` want. */
  joins: string
  targetId: string
  properties: string
  /** The condition that a row `h` is of one of the edges in an array of keys. */
  isAmong(keys: string): string
  /** The condition that a row's edge has a key in [from, to]. */
  isBetween(from: string, to: string): string
}

export const writtenEdges: EdgePlace = {
  view: 'written_edge',
  joins: 'join node_key b on b.key = h.target join fact_version v on v.hash = h.version',
  targetId: 'b.id',
  properties: 'v.properties',
  isAmong: (keys) => `h.edge = any(${keys})`,
  isBetween: (from, to) => `h.edge between ${from} and ${to}`,
}

/** Their keys are those of their columns and 1. No index has them: the columns are looked for. */
export const homeEdges: EdgePlace = {
  view: 'home_edge',
  joins: '',
  targetId: 'h.target_id',
  properties: `'{}'::jsonb`,
  isAmong: (keys) => `h.target = any(array(select key - 1 from unnest(${keys}::bigint[]) key))`,
  isBetween: (from, to) => `h.target between ${from}::bigint - 1 and ${to}::bigint - 1`,
}

export const edgePlaces: readonly EdgePlace[] = [writtenEdges, homeEdges]

/** The same statement over both. */
export const ofEdges = (statement: (place: EdgePlace) => string): string => edgePlaces.map(statement).join(' union all ')

/** Label of the edges that the rows of columns tell of. */
export const homeLabel: EdgeLabel = 'HAS_COLUMN'

/** The ends of the edge of a key (of an outer row): at most one row. */
export const edgeEnds = (key: string): string => `
select source, label, target, discriminator from edge_key where key = ${key}
union all
select source, label, target, discriminator from home_edge where target = ${key} - 1`

/** The rows `h` of columns that tell of edges, for those who ask for no more than their keys: the view also looks up the table. */
export const homeRows = `node_history h where ${isHome('h')}`
