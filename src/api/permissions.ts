import type { Scope } from '../access/scopes.js'
import { isReleaseId } from '../artifacts/release/manifest.js'
import { readReleaseProjects } from '../artifacts/release/release-store.js'
import { readAlias, readArtifact, resolveArtifact } from '../artifacts/store.js'
import { findDataset } from '../datasets/exchange/dataset-store.js'
import { resolveDatasetVersion } from '../datasets/reference.js'
import { parseCheckpointName } from '../runs/checkpoint-store.js'
import type { ApiContext } from './context.js'

/** Arguments of a field, as a resolver gets them. */
// biome-ignore lint/suspicious/noExplicitAny: fields of every shape; each row reads its own
export type Arguments = Record<string, any>
/** Projects that arguments lead to; null stands for what belongs to no project. None at all means every project. */
export type Reach = (args: Arguments, context: ApiContext) => (string | null)[] | Promise<(string | null)[]>

export interface Permission {
  /** all of them are asked */
  scope: Scope | readonly Scope[] | ((args: Arguments) => Scope | readonly Scope[])
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
/** The project of the training that is judged. */
const trained: Reach = async ({ trainRunId, besideProjectIds }, { loaders }) => [
  (await loaders.run.load(trainRunId))?.projectId ?? null,
  ...(besideProjectIds ?? []),
]
const besides: Reach = ({ projectId, besideProjectIds }) => [projectId, ...(besideProjectIds ?? [])]
const snapshot: Reach = async ({ id, snapshotId }, { loaders }) => [
  (await loaders.snapshot.load((snapshotId ?? id) as string))?.projectId ?? null,
]
const deletion: Reach = (args, context) => (args['snapshotId'] ? snapshot(args, context) : named(args, context))
const datasetVersion: Reach = async ({ id }, { loaders }) => [(await loaders.datasetVersion.load(id))?.projectId ?? null]
/** Versions by whatever argument names them, those of a merge included. */
const datasetVersions: Reach = async ({ versionId, before, after, modifications }, { loaders }) => {
  const merged = (modifications as { merge?: unknown } | undefined)?.merge
  const ids = [versionId, before, after, ...(Array.isArray(merged) ? merged : [])].filter((id) => id !== undefined && id !== null)
  return Promise.all(ids.map(async (id) => (await loaders.datasetVersion.load(String(id)))?.projectId ?? null))
}
const namedVersion: Reach = async ({ name }, { platform }) => [
  (await resolveDatasetVersion(platform.database, String(name)).catch(() => null))?.projectId ?? null,
]
const dataset: Reach = async ({ id }, { platform }) => [(await findDataset(platform.database, id))?.projectId ?? null]
const artifact: Reach = async ({ id, artifactId }, { platform }) => {
  const found = await readArtifact(platform.database, artifactId ?? id).catch(() => null)
  return [found?.projectId ?? null]
}
/** `<project>@<version>` */
const patternSets: Reach = ({ before, after }) => [before, after].map((id: string) => /^(.+)@/.exec(id)?.[1] ?? null)
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
  const { projectIds, projectId, besideProjectIds, datasetVersionId, glean, resume, artifact: judged } = (options ?? {}) as Arguments
  const texts = (ids: unknown[]) => ids.flat().filter((it): it is string => typeof it === 'string')
  const dataset = async (name: string) =>
    (await resolveDatasetVersion(context.platform.database, name).catch(() => null))?.projectId ?? null
  const learned = [
    ...texts([projectIds, projectId, besideProjectIds]),
    ...(await resumed(resume, context)),
    ...(typeof datasetVersionId === 'string' ? [await dataset(datasetVersionId)] : []),
    ...(typeof judged === 'string'
      ? [(await resolveArtifact(context.platform.database, judged).catch(() => null))?.projectId ?? null]
      : []),
  ]
  // history alone names no project to learn from: that is then all of them
  return learned.length === 0 ? [] : [...learned, ...texts([glean?.projectId])]
}

/** A pipeline does both. */
const ingestAndTrain: readonly Scope[] = ['catalog:write', 'training:execute']
/** Ingest, deletion and learning change the catalog; what leaves for Glean is for its owner; the other kinds train. */
const scopeOfKind = ({ kind }: Arguments): Scope | readonly Scope[] => {
  if (kind === 'pipeline') return ingestAndTrain
  // work on datasets has mutations of its own, which see to it whose file and whose rows it is
  if (kind === 'export-metrics' || kind === 'dataset') return 'admin'
  return /^(ingest|delete|learn)/.test(String(kind)) ? 'catalog:write' : 'training:execute'
}

const reads = (reach: Permission['reach'], projectOf?: Permission['projectOf']): Permission => ({
  scope: 'catalog:read',
  reach,
  ...(projectOf ? { projectOf } : {}),
})
const writes = (reach: Permission['reach']): Permission => ({ scope: 'catalog:write', reach })
const trains = (reach: Permission['reach']): Permission => ({ scope: 'training:execute', reach })
const readsData = (reach: Permission['reach']): Permission => ({ scope: 'training_data:read', reach })
const writesData = (reach: Permission['reach']): Permission => ({ scope: 'training_data:write', reach })
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
    comparePatternSets: reads(patternSets),
    compareRuns: reads(run),
    cypher: { scope: 'graph:cypher', reach: 'everything' },
    dataset: readsData(dataset),
    datasetDiff: readsData(datasetVersions),
    datasetExport: readsData(datasetVersions),
    datasetFormats: readsData('nothing'),
    datasetOperations: readsData(datasetVersions),
    datasetQuality: readsData(datasetVersions),
    datasetRows: readsData(datasetVersions),
    datasetSample: readsData(datasetVersions),
    datasetStatistics: readsData(datasetVersions),
    datasetVersion: readsData(datasetVersion),
    datasetVersionNamed: readsData(namedVersion),
    datasets: readsData(named),
    deletionPreview: reads(deletion),
    diff: reads(named),
    domainTestCases: reads(besides),
    evaluationOf: reads('nothing'),
    gleanStatus: reads('nothing'),
    glossary: reads(named),
    glossaryHistory: reads(named),
    keys: admin,
    knowledgeGraph: reads(named),
    lineage: reads(node),
    metricSeries: reads(node),
    nodeHistory: reads(node),
    operatedRows: readsData(datasetVersions),
    paritySamples: reads(bundle),
    patternSet: reads(named),
    patternSets: reads(named),
    patternsOf: reads('nothing'),
    predictColumnType: reads(named),
    predictFutureChanges: reads(named),
    predictGraphs: reads(served),
    predictLinks: reads(served),
    predictRelationshipType: reads(named),
    predictSchemaEvolution: reads(named),
    previewDatasetEnhancement: readsData(datasetVersions),
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
    suspectLabels: readsData(datasetVersions),
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
    createDataset: writesData(named),
    createDatasetVersionFrom: writesData(datasetVersions),
    createKey: admin,
    createProject: writes(({ input }) => [input.id]),
    defineTerm: writes(named),
    deleteDataset: { scope: 'training_data:delete', reach: dataset },
    deleteProject: writes(named),
    deleteSnapshot: writes(snapshot),
    deleteSystem: writes(named),
    describe: writes(node),
    editDataset: writesData(datasetVersions),
    enhanceDataset: writesData(datasetVersions),
    evaluateTrainingResults: trains(trained),
    exportRelease: deploys(released),
    exportSnapshotToGlean: admin,
    exportToGlean: admin,
    exportTrainingMetricsToGlean: admin,
    fitDatasetOperations: writesData(datasetVersions),
    importDataset: writesData(named),
    ingest: writes(named),
    ingestGleanDataForTraining: admin,
    learnPatterns: writes(named),
    operateDataset: writesData(datasetVersions),
    packageArtifact: reads(bundle),
    pauseRun: trains(run),
    promote: deploys(artifact),
    pruneArtifacts: admin,
    queueDatasetEnhancement: writesData(datasetVersions),
    queueDatasetExport: readsData(datasetVersions),
    queueDatasetImport: writesData(named),
    queueDatasetValidation: writesData(datasetVersions),
    queueDeletion: writes(named),
    queueIngest: writes(named),
    rebuildGraph: admin,
    removeTags: writes(node),
    removeTerm: writes(named),
    restoreDatasetVersion: writesData(datasetVersions),
    resumeRun: trains(run),
    retryRun: trains(run),
    revokeKey: admin,
    rollback: deploys(served),
    runFullPipeline: { scope: ingestAndTrain, reach: named },
    saveSystem: writes(named),
    setOwners: writes(node),
    setTerms: writes(node),
    splitDataset: writesData(datasetVersions),
    startRun: { scope: scopeOfKind, reach: runOptions },
    tagDatasetVersion: writesData(datasetVersions),
    updateDataset: writesData(dataset),
    updateProject: writes(({ id }) => [id]),
    validateDataset: writesData(datasetVersions),
  },
  Subscription: {
    pipelineEvents: reads(run),
    runEvents: reads(run),
    runLogs: reads(run),
    snapshotIngested: reads(named),
  },
}
