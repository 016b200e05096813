import { datasetVersionNodeId } from '../util/node-ids.js'
import type { GraphChange, Properties } from '../vocabulary.js'
import type { DatasetVersion } from './version.js'

/** Members of a version's provenance that name versions it was made of. */
const ancestry = ['made_from', 'edited', 'enhanced', 'restored', 'appended_to'] as const

/** The versions that this one was made of, and how. */
export function madeOf({ id, provenance }: DatasetVersion): { versionId: string; how: string }[] {
  const named = ancestry.flatMap((how) => (typeof provenance[how] === 'string' ? [{ versionId: provenance[how], how }] : []))
  const { merge } = (provenance['modifications'] ?? {}) as { merge?: string[] }
  const merged = (merge ?? []).map((versionId) => ({ versionId, how: 'merged' }))
  return [...new Map([...merged, ...named].map((source) => [source.versionId, source])).values()].filter(
    ({ versionId }) => versionId !== id,
  )
}

type TableSource = { tableId: string; snapshot: string }

/** The tables that a version's rows were read from. */
export const tablesOf = ({ provenance }: DatasetVersion): TableSource[] => (provenance['derived_from'] ?? []) as TableSource[]

/**
 * What a version that is made of another one goes on saying of its rows: all but what that one was itself made of, and how. Feature specs,
 * required labels and tables stay true of what was edited, mapped or cleaned.
 */
export function inherited({ provenance }: DatasetVersion): Properties {
  const own = new Set<string>([...ancestry, 'modifications', 'steps', 'derived_from'])
  return Object.fromEntries(Object.entries(provenance).filter(([member]) => !own.has(member)))
}

/**
 * What the graph learns of a new version: its node, and DERIVED_FROM edges: one a table (to the snapshot read last, if several), one a
 * version that it was made of.
 */
export function versionChanges(version: DatasetVersion, derivedFrom: readonly TableSource[], now: Date): GraphChange[] {
  const id = datasetVersionNodeId(version.id)
  const name = `${version.datasetName} ${version.number}`
  const node: GraphChange = {
    op: 'upsert-node',
    id,
    kind: 'DatasetVersion',
    properties: {
      id,
      name,
      qualified_name: version.id,
      project_id: version.projectId,
      system_id: null,
      dataset_id: version.datasetId,
      dataset_name: version.datasetName,
      dataset_kind: version.kind,
      number: version.number,
      hash: version.hash,
      row_count: version.rowCount,
      created_at: version.createdAt.toISOString(),
      updated_at: now.toISOString(),
    },
  }
  const snapshots = new Map(derivedFrom.map(({ tableId, snapshot }) => [tableId, snapshot]))
  const edges = [...snapshots].map(
    ([tableId, snapshot]): GraphChange => ({
      op: 'upsert-edge',
      sourceId: id,
      label: 'DERIVED_FROM',
      targetId: tableId,
      discriminator: '',
      properties: { snapshot, updated_at: now.toISOString() },
    }),
  )
  const versions = madeOf(version).map(
    ({ versionId, how }): GraphChange => ({
      op: 'upsert-edge',
      sourceId: id,
      label: 'DERIVED_FROM',
      targetId: datasetVersionNodeId(versionId),
      discriminator: '',
      properties: { how, updated_at: now.toISOString() },
    }),
  )
  return [node, ...edges, ...versions]
}
