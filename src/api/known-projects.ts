import { maySeeProject } from '../access/principal.js'
import { readProjects, readSystems } from '../access/store.js'
import { countFacts, type FactFilter } from '../catalog/reads/read-store.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import type { RunKind } from '../vocabulary.js'
import type { ApiContext } from './context.js'
import type { Arguments } from './permissions.js'

/**
 * Root fields that may name a project or a system which is not there: those that make it, that wait for it, that ask Glean (where it may
 * be known alone), or that list what a deleted one leaves behind.
 */
export const fieldsOfAnyProject: ReadonlySet<string> = new Set([
  ...['ingest', 'queueIngest', 'runFullPipeline', 'createDataset', 'importDataset', 'queueDatasetImport', 'snapshotIngested'],
  ...['ingestGleanDataForTraining', 'queryColumnTypePatterns', 'queryExportManifests', 'queryHistoricalEdges', 'queryHistoricalNodes'],
  ...['queryInformationTheoryMetrics', 'artifacts', 'runs'],
])

/** Throws NOT_FOUND for a project, or a system of it, that arguments name and nobody knows; suggests one that the caller may see. */
export async function assertKnownProjects(field: string, args: Arguments, context: ApiContext): Promise<void> {
  if (fieldsOfAnyProject.has(field)) return
  const { projectId, projectIds, besideProjectIds, systemId } = field === 'startRun' ? optionsOfLearning(args) : args
  const named = new Set<string>([projectIds ?? [], projectId ?? [], besideProjectIds ?? []].flat())
  if (named.size === 0) return
  const { principal, platform } = context
  const listed = (await readProjects(platform.database)).map(({ id }) => id)
  // what was brought in by other doors than this one is not listed
  const isKnown = async (filter: FactFilter) => (await countFacts(platform.database, filter)).nodes > 0
  for (const projectId of named) {
    if (listed.includes(projectId) || (await isKnown({ projectId }))) continue
    const visible = listed.filter((id) => maySeeProject(principal, id))
    throw unknown(
      `there is no project "${projectId.slice(0, 100)}"`,
      projectId,
      visible,
      'Create it first: createProject, or `espalier projects create`.',
    )
  }
  if (!projectId || !systemId) return
  const systems = (await readSystems(platform.database, projectId)).map(({ id }) => id)
  if (systems.includes(systemId) || (await isKnown({ projectId, systemId, kinds: ['System'] }))) return
  throw unknown(`project "${projectId}" has no system "${systemId.slice(0, 100)}"`, systemId, systems, 'Ingest something of it first.')
}

/** Kinds of runs that learn from what is there. */
const learning: ReadonlySet<unknown> = new Set<RunKind>(['learn-patterns', 'train-ggnn', 'evaluate'])
function optionsOfLearning({ kind, options }: Arguments): Arguments {
  const projectIds = learning.has(kind) && Array.isArray(options?.projectIds) ? options.projectIds : []
  return { projectIds: projectIds.filter((id: unknown) => typeof id === 'string') }
}

const mostNamed = 10

function unknown(message: string, name: string, known: readonly string[], otherwise: string): EspalierError {
  const some = known.slice(0, mostNamed).join(', ')
  const list = known.length > 0 && known.length <= mostNamed ? `There ${known.length === 1 ? 'is' : 'are'} ${some}.` : otherwise
  return new EspalierError('NOT_FOUND', message, { remedy: didYouMean(name, known) ?? list })
}
