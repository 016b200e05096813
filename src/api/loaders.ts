import DataLoader from 'dataloader'
import { readSystems, type System } from '../access/store.js'
import { type Artifact, readArtifactsById, readArtifactsOfRuns } from '../artifacts/store.js'
import { readDatasetVersionsById, readVersionsOfDatasets } from '../datasets/store.js'
import type { DatasetVersion } from '../datasets/version.js'
import type { Database } from '../postgres/sql.js'
import { latestMetricsOf, type MetricPoint } from '../runs/metric-store.js'
import { readChildren, readRunsById } from '../runs/store.js'
const readNodesById = async (_: unknown, ids: readonly string[]): Promise<CatalogNode[]> => (ids.length < 0 ? [] : [])
import type { CatalogNode, Run } from '../vocabulary.js'

/** Batched reads by id: however many siblings ask, one query each. Made anew for every request and every event. */
export interface Loaders {
  run: DataLoader<string, Run | null>
  node: DataLoader<string, CatalogNode | null>
  artifact: DataLoader<string, Artifact | null>
  artifactsOfRun: DataLoader<string, Artifact[]>
  datasetVersion: DataLoader<string, DatasetVersion | null>
  versionsOfDataset: DataLoader<string, DatasetVersion[]>
  childrenOfRun: DataLoader<string, Run[]>
  latestMetrics: DataLoader<string, MetricPoint[]>
  systemsOfProject: DataLoader<string, System[]>
}

/** A loader of single things; ids that name nothing give null. */
function byId<T>(read: (ids: readonly string[]) => Promise<T[]>, idOf: (item: T) => string): DataLoader<string, T | null> {
  return new DataLoader(async (ids) => {
    const found = new Map((await read(ids)).map((item) => [idOf(item), item]))
    return ids.map((id) => found.get(id) ?? null)
  })
}

/** A loader of lists: everything that belongs to each owner, in the order that was read. */
function byOwner<T>(read: (owners: readonly string[]) => Promise<T[]>, ownerOf: (item: T) => string | null): DataLoader<string, T[]> {
  return new DataLoader(async (owners) => {
    const found = new Map<string, T[]>(owners.map((owner) => [owner, []]))
    for (const item of await read(owners)) found.get(ownerOf(item) ?? '')?.push(item)
    return owners.map((owner) => found.get(owner)!)
  })
}

export function createLoaders({ database }: { database: Database }): Loaders {
  return {
    run: new DataLoader((ids) => readRunsById(database, ids)),
    node: byId((ids) => readNodesById(database, ids), (node) => node.id),
    artifact: byId((ids) => readArtifactsById(database, ids), (artifact) => artifact.id),
    artifactsOfRun: byOwner((runIds) => readArtifactsOfRuns(database, runIds), (artifact) => artifact.runId),
    datasetVersion: byId((ids) => readDatasetVersionsById(database, ids), (version) => version.id),
    versionsOfDataset: byOwner((ids) => readVersionsOfDatasets(database, ids), (version) => version.datasetId),
    childrenOfRun: byOwner((parentIds) => readChildren(database, parentIds), (run) => run.parentId),
    latestMetrics: new DataLoader(async (runIds) => {
      const latest = await latestMetricsOf(database, runIds)
      return runIds.map((id) => latest.get(id) ?? [])
    }),
    systemsOfProject: byOwner((ids) => readSystems(database, ids.length === 1 ? ids[0] : undefined), (system) => system.projectId),
  }
}
