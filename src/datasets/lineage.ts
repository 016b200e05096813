import { datasetVersionNodeId } from '../util/node-ids.js'
import type { GraphChange } from '../vocabulary.js'
import type { DatasetVersion } from './version.js'

/** What the graph learns of a new version: its node, and one DERIVED_FROM edge a table (to the snapshot read last, if several). */
export function versionChanges(
  version: DatasetVersion,
  derivedFrom: readonly { tableId: string; snapshot: string }[],
  now: Date,
): GraphChange[] {
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
  return [node, ...edges]
}
