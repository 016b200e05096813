import DataLoader from 'dataloader'
import { localPrincipal, maySeeProject, type Principal } from '../access/principal.js'
import { readSystems, type System } from '../access/store.js'
import { type Artifact, readArtifactsById, readArtifactsOfRuns } from '../artifacts/store.js'
import type { Annotations } from '../catalog/people/annotation.js'
import { type AnnotationChange, readAnnotationHistories } from '../catalog/people/annotation-store.js'
import { readAnnotations } from '../catalog/people/people-store.js'
import {
  type NodeStamp,
  type NodeState,
  readColumnsOf,
  readEdgesOf,
  readMetricsAt,
  readNodeHistories,
  readNodesById,
  readSnapshotsById,
  type Snapshot,
} from '../catalog/reads/read-store.js'
import { readDatasetVersionsById, readVersionsOfDatasets } from '../datasets/store.js'
import type { DatasetVersion } from '../datasets/version.js'
import type { Database } from '../postgres/sql.js'
import { latestMetricsOf, type MetricPoint } from '../runs/metric-store.js'
import { readChildren, readRunsById } from '../runs/store.js'
import type { CatalogEdge, CatalogNode, EdgeLabel, Run } from '../vocabulary.js'

/** Batched reads by id: however many siblings ask, one query each. Made anew for every request and every event. */
export interface Loaders {
  run: DataLoader<string, Run | null>
  snapshot: DataLoader<string, Snapshot | null>
  history: DataLoader<string, NodeState[]>
  /** of a moment (default: now) */
  nodeAt(asOf?: Date): DataLoader<string, (CatalogNode & NodeStamp) | null>
  columnsAt(asOf?: Date): DataLoader<string, CatalogNode[]>
  edgesAt(direction: 'out' | 'in', labels?: readonly EdgeLabel[], asOf?: Date): DataLoader<string, CatalogEdge[]>
  metricsAt(asOf?: Date): DataLoader<string, Record<string, number>>
  /** what people say of nodes; null where they never said anything */
  annotationsAt(asOf?: Date): DataLoader<string, Annotations | null>
  annotationHistory: DataLoader<string, AnnotationChange[]>
  /** after a mutation in this very request wrote some */
  forgetAnnotations(): void
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

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** A loader of things whose ids are UUIDs: other text names nothing, and must not reach a uuid column. */
function byUuid<T>(read: (ids: readonly string[]) => Promise<(T | null)[]>): DataLoader<string, T | null> {
  return new DataLoader(async (ids) => {
    const real = ids.filter((id) => uuid.test(id))
    const found = new Map((await read(real)).map((item, i) => [real[i]!, item]))
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

/** One loader for every distinct list of arguments. */
function keyed<A extends unknown[], L>(make: (...key: A) => L): (...key: A) => L {
  const made = new Map<string, L>()
  return (...key) => {
    const name = JSON.stringify(key)
    const known = made.get(name) ?? make(...key)
    made.set(name, known)
    return known
  }
}
const moment = (asOf: Date | undefined) => (asOf ? { asOf } : {})

/** What another project holds is, to a caller with limits, as if it were not there: wherever an id was found, it leads nowhere. */
function borders(principal: Principal) {
  const isOpen = (thing: { projectId: string | null }) => maySeeProject(principal, thing.projectId)
  return {
    each: <T extends { projectId: string | null }>(things: (T | null)[]) => things.map((it) => (it && isOpen(it) ? it : null)),
    only: <T extends { projectId: string | null }>(things: T[]) => things.filter(isOpen),
  }
}

export function createLoaders({ database }: { database: Database }, principal: Principal = localPrincipal): Loaders {
  const annotationLoaders = () =>
    keyed(
      (asOf?: Date) =>
        new DataLoader<string, Annotations | null>(async (ids) => {
          const found = await readAnnotations(database, ids, moment(asOf))
          return ids.map((id) => found.get(id) ?? null)
        }),
    )
  const { each, only } = borders(principal)
  let annotationsAt = annotationLoaders()
  const annotationHistory = new DataLoader<string, AnnotationChange[]>((ids) => readAnnotationHistories(database, ids))
  return {
    annotationsAt: (asOf) => annotationsAt(asOf),
    annotationHistory,
    forgetAnnotations() {
      annotationsAt = annotationLoaders()
      annotationHistory.clearAll()
    },
    run: new DataLoader(async (ids) => each(await readRunsById(database, ids))),
    snapshot: byUuid(async (ids) => each(await readSnapshotsById(database, ids))),
    history: new DataLoader((ids) => readNodeHistories(database, ids)),
    nodeAt: keyed((asOf) => new DataLoader((ids) => readNodesById(database, ids, moment(asOf)))),
    columnsAt: keyed((asOf) => new DataLoader((ids) => readColumnsOf(database, ids, moment(asOf)))),
    edgesAt: keyed(
      (direction, labels, asOf) =>
        new DataLoader((ids) => readEdgesOf(database, ids, direction, { ...moment(asOf), ...(labels ? { labels } : {}) })),
    ),
    metricsAt: keyed((asOf) => new DataLoader((ids) => readMetricsAt(database, ids, asOf))),
    artifact: byId(
      async (ids) => only(await readArtifactsById(database, ids)),
      (artifact) => artifact.id,
    ),
    artifactsOfRun: byOwner(
      async (runIds) => only(await readArtifactsOfRuns(database, runIds)),
      (artifact) => artifact.runId,
    ),
    datasetVersion: byId(
      async (ids) => only(await readDatasetVersionsById(database, ids)),
      (version) => version.id,
    ),
    versionsOfDataset: byOwner(
      (ids) => readVersionsOfDatasets(database, ids),
      (version) => version.datasetId,
    ),
    childrenOfRun: byOwner(
      async (parentIds) => only(await readChildren(database, parentIds)),
      (run) => run.parentId,
    ),
    latestMetrics: new DataLoader(async (runIds) => {
      const latest = await latestMetricsOf(database, runIds)
      return runIds.map((id) => latest.get(id) ?? [])
    }),
    systemsOfProject: byOwner(
      (ids) => readSystems(database, ids.length === 1 ? ids[0] : undefined),
      (system) => system.projectId,
    ),
  }
}
