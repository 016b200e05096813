import type { Scope } from '../access/scopes.js'
import { isReleaseId } from '../artifacts/release/manifest.js'
import { readReleaseProjects } from '../artifacts/release/release-store.js'
import { readAlias, readArtifact } from '../artifacts/store.js'
import { resolveDatasetVersion } from '../datasets/reference.js'
import { parseCheckpointName } from '../runs/checkpoint-store.js'
import type { ApiContext } from './context.js'

/** Arguments of a field, as a resolver gets them. */
// biome-ignore lint/suspicious/noExplicitAny: fields of every shape; each row reads its own
export type Arguments = Record<string, any>
/** Projects that arguments lead to; null stands for what belongs to no project. None at all means every project. */
export type Reach = (args: Arguments, context: ApiContext) => (string | null)[] | Promise<(string | null)[]>

export interface Permission {
  scope: Scope | ((args: Arguments) => Scope)
  /** `nothing`: no project is touched; `everything`: all of them at once */
  reach: Reach | 'nothing' | 'everything'
  /** what a principal with limits sees of a list that spans projects */
  projectOf?: (item: Arguments) => string | null
}

/** `<project>/<system>/<kind>:…` */
const projectOfNode = (id: string): string => id.split('/', 1)[0]!

const named: Reach = ({ projectId, projectIds }) => (projectIds ?? (projectId ? [projectId] : [])) as string[]
const node: Reach = ({ id, nodeId, nodeIds }) => (nodeIds ?? [nodeId ?? id]).map(projectOfNode)
const whatever: Reach = ({ projectId, nodeId, tableId }) => [
  ...(projectId ? [projectId] : []),
  ...[nodeId, tableId].filter(Boolean).map(projectOfNode),
]
const run: Reach = async ({ id, runId, ids }, { loaders }) =>
  Promise.all(((ids ?? [runId ?? id]) as string[]).map(async (one) => (await loaders.run.load(one))?.projectId ?? null))
const snapshot: Reach = async ({ id, snapshotId }, { loaders }) => [
  (await loaders.snapshot.load((snapshotId ?? id) as string))?.projectId ?? null,
]
const deletion: Reach = (args, context) => (args['snapshotId'] ? snapshot(args, context) : named(args, context))
const datasetVersion: Reach = async ({ id }, { loaders }) => [(await loaders.datasetVersion.load(id))?.projectId ?? null]
const artifact: Reach = async ({ id, artifactId }, { platform }) => {
  const found = await readArtifact(platform.database, artifactId ?? id).catch(() => null)
  return [found?.projectId ?? null]
}
/** Projects of an artifact or a release; null for one that is unknown or belongs to none. */
const bundled = async (id: string, { platform }: ApiContext): Promise<(string | null)[]> => {
  if (isReleaseId(id)) {
    const projects = await readReleaseProjects(platform.database, id)
    return projects.length > 0 ? projects : [null]
  }
  return [(await readArtifact(platform.database, id).catch(() => null))?.projectId ?? null]
}
const bundle: Reach = ({ id }, context) => bundled(id, context)
const diffed: Reach = async ({ before, after }, context) => [...(await bundled(before, context)), ...(await bundled(after, context))]
/** The artifacts that a release is to hold. */
const released: Reach = async ({ components, alias }, context) =>
  (
    await Promise.all(
      (components as { component: string; artifactId?: string | null }[]).map(({ component, artifactId }) =>
        artifactId ? bundled(artifactId, context) : served({ component, alias }, context),
      ),
    )
  ).flat()
/** What an alias names, and the node that is asked about. */
const served: Reach = async ({ component, alias, nodeId }, { platform }) => [
  (await readAlias(platform.database, component ?? 'ranker', alias ?? 'production'))?.projectId ?? null,
  ...(nodeId ? [projectOfNode(nodeId)] : []),
]
const artifactOrAlias: Reach = (args, context) => (args['id'] ? artifact(args, context) : served(args, context))
/** The projects of the run that another one goes on from, by `<run id>` or `<run id>@<step>`. (`latest` is one of the projects given.) */
const resumed = async (resume: unknown, { loaders }: ApiContext): Promise<(string | null)[]> => {
  const from = typeof resume === 'string' ? parseCheckpointName(resume) : null
  if (!from) return []
  const found = await loaders.run.load(from.runId)
  const { projectIds } = (found?.options ?? {}) as { projectIds?: string[] }
  return projectIds ?? [found?.projectId ?? null]
}

/** Projects that a run's options name, that of the dataset or the history they name, and those of the run they go on from. */
const runOptions: Reach = async ({ options }, context) => {
  const { projectIds, projectId, datasetVersionId, glean, resume } = (options ?? {}) as Arguments
  const texts = (ids: unknown[]) => ids.flat().filter((it): it is string => typeof it === 'string')
  const dataset = async (name: string) =>
    (await resolveDatasetVersion(context.platform.database, name).catch(() => null))?.projectId ?? null
  const learned = [
    ...texts([projectIds, projectId]),
    ...(await resumed(resume, context)),
    ...(typeof datasetVersionId === 'string' ? [await dataset(datasetVersionId)] : []),
  ]
  // history alone names no project to learn from: that is then all of them
  return learned.length === 0 ? [] : [...learned, ...texts([glean?.projectId])]
}

/** Ingest, deletion and learning change the catalog; the other kinds train. */
const scopeOfKind = ({ kind }: Arguments): Scope => (/^(ingest|delete|learn)/.test(String(kind)) ? 'catalog:write' : 'training:execute')

const reads = (reach: Permission['reach'], projectOf?: Permission['projectOf']): Permission => ({
  scope: 'catalog:read',
  reach,
  ...(projectOf ? { projectOf } : {}),
})
const writes = (reach: Permission['reach']): Permission => ({ scope: 'catalog:write', reach })
const trains = (reach: Permission['reach']): Permission => ({ scope: 'training:execute', reach })
const deploys = (reach: Permission['reach']): Permission => ({ scope: 'model:deploy', reach })
const admin: Permission = { scope: 'admin', reach: 'everything' }

/**
 * What every root field of the platform asks of whoever calls it. A field without a row is refused to all but `admin` (and fails a
 * test): nothing new is open by oversight. Graph reads are not here: they all ask `catalog:read` and are filtered by project.
 */
export const permissions: Record<'Query' | 'Mutation' | 'Subscription', Record<string, Permission>> = {
  Query: {
    artifact: reads(artifactOrAlias),
    artifactDiff: reads(diffed),
    artifacts: reads(named),
    audit: admin,
    bundleFiles: reads(bundle),
    catalogAsOf: reads(named),
    catalogNode: reads(node),
    changes: reads(whatever),
    compareRuns: reads(run),
    cypher: { scope: 'graph:cypher', reach: 'everything' },
    datasetVersion: { scope: 'training_data:read', reach: datasetVersion },
    datasets: { scope: 'training_data:read', reach: named },
    deletionPreview: reads(deletion),
    diff: reads(named),
    gleanStatus: reads('nothing'),
    glossary: reads(named),
    glossaryHistory: reads(named),
    keys: admin,
    knowledgeGraph: reads(named),
    lineage: reads(node),
    metricSeries: reads(node),
    nodeHistory: reads(node),
    paritySamples: reads(bundle),
    patternSet: reads(named),
    patternSets: reads(named),
    predictLinks: reads(served),
    predictRelationshipType: reads(named),
    predictSchemaEvolution: reads(named),
    project: reads(({ id }) => [id]),
    projectionLag: reads('nothing'),
    projects: reads('nothing', ({ id }) => id),
    promotions: reads(served),
    quality: reads(named),
    queryColumnTypePatterns: reads(named),
    queryExportManifests: reads(named),
    queryHistoricalEdges: reads(named),
    queryHistoricalNodes: reads(named),
    queryInformationTheoryMetrics: reads(named),
    rank: reads(served),
    release: reads(bundle),
    releases: reads('everything'),
    run: reads(run),
    runs: reads(named),
    search: reads(named),
    serving: reads('everything'),
    snapshot: reads(snapshot),
    snapshots: reads(named),
    systems: reads(named),
    verifyArtifact: reads(bundle),
    whoAmI: reads('nothing'),
    workflow: reads(named),
  },
  Mutation: {
    addTags: writes(node),
    annotate: writes(({ annotations }) => annotations.map((it: { nodeId: string }) => projectOfNode(it.nodeId))),
    awaitProjection: reads('nothing'),
    cancelRun: trains(run),
    createKey: admin,
    createProject: writes(({ input }) => [input.id]),
    defineTerm: writes(named),
    deleteProject: writes(named),
    deleteSnapshot: writes(snapshot),
    deleteSystem: writes(named),
    describe: writes(node),
    exportRelease: deploys(released),
    exportSnapshotToGlean: admin,
    exportToGlean: admin,
    importDataset: trains(named),
    ingest: writes(named),
    ingestGleanDataForTraining: admin,
    learnPatterns: writes(named),
    packageArtifact: reads(bundle),
    pauseRun: trains(run),
    promote: deploys(artifact),
    pruneArtifacts: admin,
    queueDeletion: writes(named),
    queueIngest: writes(named),
    rebuildGraph: admin,
    removeTags: writes(node),
    removeTerm: writes(named),
    resumeRun: trains(run),
    retryRun: trains(run),
    revokeKey: admin,
    rollback: deploys(served),
    saveSystem: writes(named),
    setOwners: writes(node),
    setTerms: writes(node),
    startRun: { scope: scopeOfKind, reach: runOptions },
    updateProject: writes(({ id }) => [id]),
  },
  Subscription: {
    runEvents: reads(run),
    runLogs: reads(run),
    snapshotIngested: reads(named),
  },
}
