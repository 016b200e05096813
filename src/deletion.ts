import { appendAudit, readProjectSettings, readProjects, readSystems, removeProject, removeSystem } from './access/store.js'
import { countArtifacts } from './artifacts/store.js'
import { type CatalogDeletion, confirmationToken, type DeletionTarget } from './catalog/deletion/deletion.js'
import { countConcerned, deleteFromCatalog, readProjectDeletion, sweepContents } from './catalog/deletion/deletion-store.js'
import { readDatasets } from './datasets/store.js'
import { countPatternSets, removePatternSets } from './patterns/store.js'
import type { Client, Database } from './postgres/sql.js'
import { countRuns } from './runs/store.js'
import { EspalierError } from './util/error.js'
import type { Properties } from './vocabulary.js'

/** What a deletion takes, in every room, and what it leaves. */
export interface Deletion {
  catalog: CatalogDeletion
  /** learned from the project; of a snapshot: none */
  patternSets: number
  kept: { patternSets: number; datasets: number; runs: number; artifacts: number }
}

/** Thrown to roll a preview back: it does everything, so its answer is exact. */
class Preview extends Error {
  constructor(readonly deletion: Deletion) {
    super('preview')
  }
}

const underWay = ['pending', 'running', 'paused'] as const

/** A run of the project would write into it again, or go on with what is gone. Deletions themselves wait for each other. */
async function refuseWhileRunning(client: Client, projectId: string): Promise<void> {
  let count = 0
  for (const state of underWay)
    count += (await countRuns(client, { projectId, state })) - (await countRuns(client, { projectId, state, kind: 'delete' }))
  if (count === 0) return
  throw new EspalierError('CONFLICT', `project "${projectId}" has runs under way: ${count}`, {
    remedy: 'Cancel them or wait for their end: `espalier runs list` names them.',
  })
}

async function assertThere(client: Client, target: DeletionTarget, { snapshots }: CatalogDeletion, wasListed: boolean): Promise<void> {
  if (target.kind === 'snapshot' || wasListed || snapshots > 0) return
  const { projectId } = target
  if (target.kind === 'project') throw new EspalierError('NOT_FOUND', `there is no project "${projectId.slice(0, 120)}"`)
  const known = (await readSystems(client, projectId)).map((system) => system.id)
  throw new EspalierError('NOT_FOUND', `project "${projectId}" has no system "${target.systemId.slice(0, 120)}"`, {
    ...(known.length > 0 ? { remedy: `It has ${known.join(', ')}.` } : {}),
  })
}

/** The deletion of a project, told without trying it: that would take as long as doing it. */
async function foresee(client: Client, projectId: string): Promise<Deletion> {
  const target: DeletionTarget = { kind: 'project', projectId }
  await refuseWhileRunning(client, projectId)
  const catalog = await readProjectDeletion(client, projectId)
  const isListed = (await readProjects(client)).some((project) => project.id === projectId)
  await assertThere(client, target, catalog, isListed)
  const patternSets = await countPatternSets(client, projectId, undefined)
  return { catalog, patternSets, kept: { patternSets: 0, ...(await readKept(client, projectId)) } }
}

const readKept = async (client: Client, projectId: string): Promise<Omit<Deletion['kept'], 'patternSets'>> => ({
  datasets: (await readDatasets(client, { projectId })).length,
  // a deletion may be a run itself
  runs: (await countRuns(client, { projectId })) - (await countRuns(client, { projectId, kind: 'delete' })),
  artifacts: await countArtifacts(client, { projectId }),
})

/** The catalog first, whose lock holds back ingests; then what other rooms keep of it. */
async function perform(client: Client, target: DeletionTarget): Promise<Deletion> {
  if (target.kind === 'project') await refuseWhileRunning(client, target.projectId)
  const catalog = await deleteFromCatalog(client, target, async (id) => (await readProjectSettings(client, id)).idealDistribution)
  const { projectId } = catalog
  const wasListed =
    target.kind === 'project'
      ? await removeProject(client, projectId)
      : target.kind === 'system' && (await removeSystem(client, projectId, target.systemId))
  await assertThere(client, target, catalog, wasListed)
  const learned = await countPatternSets(client, projectId, target.kind === 'snapshot' ? target.snapshotId : undefined)
  if (target.kind === 'project') await removePatternSets(client, projectId)
  return {
    catalog,
    patternSets: target.kind === 'project' ? learned : 0,
    kept: { patternSets: target.kind === 'project' ? 0 : learned, ...(await readKept(client, projectId)) },
  }
}

export interface DeletionPreview extends Deletion {
  /** what a deletion is confirmed by: it holds as long as the preview does */
  token: string
}

const withToken = (target: DeletionTarget, deletion: Deletion): DeletionPreview => ({
  ...deletion,
  token: confirmationToken(target, deletion),
})

/** Facts concerned up to which a deletion is done while the caller waits; more of them are a run. */
export const largestDeletion = 200_000

/** Whether a deletion concerns more facts than one should wait for. */
export const isLargeDeletion = async (database: Database, target: DeletionTarget): Promise<boolean> =>
  (await countConcerned(database, target, largestDeletion + 1)) > largestDeletion

/** What a deletion would take and leave; nothing is deleted. */
export async function previewDeletion(database: Database, target: DeletionTarget): Promise<DeletionPreview> {
  if (target.kind === 'project') return withToken(target, await database.transaction((client) => foresee(client, target.projectId)))
  try {
    return await database.transaction(async (client) => {
      throw new Preview(await perform(client, target))
    })
  } catch (thrown) {
    if (thrown instanceof Preview) return withToken(target, thrown.deletion)
    throw thrown
  }
}

const subjectOf = ({ projectId, systemId }: CatalogDeletion): string => (systemId === null ? projectId : `${projectId}/${systemId}`)

/** Deletes in one transaction, if the token is that of a preview that still holds; CONFLICT, and nothing deleted, if it is not. */
export async function applyDeletion(database: Database, target: DeletionTarget, token: string, actor: string): Promise<DeletionPreview> {
  const done = await database.transaction(async (client) => {
    const deletion = withToken(target, await perform(client, target))
    if (deletion.token !== token)
      throw new EspalierError(
        'CONFLICT',
        `delete ${target.kind}: the token is not that of what would be deleted now; nothing was deleted`,
        {
          remedy: 'Ask for `deletionPreview` (again: something may have come since), look at it, and give its token.',
        },
      )
    const { catalog, patternSets } = deletion
    const { stateBefore: _, ...told } = catalog
    await appendAudit(client, {
      ...{ actor, action: `delete-${target.kind}`, subject: target.kind === 'snapshot' ? target.snapshotId : subjectOf(catalog) },
      details: { ...told, patternSets } as unknown as Properties,
    })
    return deletion
  })
  await sweepContents(database)
  return done
}
