import { artifactNodeId, datasetVersionNodeId, runNodeId } from '../util/node-ids.js'
import type { GraphChange } from '../vocabulary.js'
import type { Artifact } from './store.js'

/** The artifact's node; its aliases are a property, written again at every move. */
export function artifactNode(artifact: Artifact, now: Date): GraphChange {
  const { id, component, version, projectId, passed, manifest, aliases, createdAt } = artifact
  return {
    op: 'upsert-node',
    id: artifactNodeId(id),
    kind: 'Artifact',
    properties: {
      id: artifactNodeId(id),
      name: version,
      qualified_name: id,
      project_id: projectId,
      system_id: null,
      updated_at: now.toISOString(),
      component,
      version,
      passed,
      aliases,
      model: manifest.model.name,
      created_at: createdAt.toISOString(),
    },
  }
}

/** (Artifact)-[:PRODUCED_BY]->(Run) and (Run)-[:USED]->(DatasetVersion), as far as both ends are known. */
export function lineageEdges({ id, runId, datasetVersionId }: Artifact, now: Date): GraphChange[] {
  const edge = (sourceId: string, label: 'PRODUCED_BY' | 'USED', targetId: string): GraphChange => ({
    op: 'upsert-edge',
    sourceId,
    label,
    targetId,
    discriminator: '',
    properties: { updated_at: now.toISOString() },
  })
  return [
    ...(runId ? [edge(artifactNodeId(id), 'PRODUCED_BY', runNodeId(runId))] : []),
    ...(runId && datasetVersionId ? [edge(runNodeId(runId), 'USED', datasetVersionNodeId(datasetVersionId))] : []),
  ]
}
