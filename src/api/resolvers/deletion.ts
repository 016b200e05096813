import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import type { DeletionTarget } from '../../catalog/deletion/deletion.js'
import { applyDeletion, isLargeDeletion, largestDeletion, previewDeletion } from '../../deletion.js'
import { startRun } from '../../jobs.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DeletionPreview, deletionOf } from '../types/deletion.js'
import { Run } from '../types/runs.js'

const tokenOption = { description: 'The token of a deletionPreview that still holds' }

function targetOf(projectId?: string | null, systemId?: string | null, snapshotId?: string | null): DeletionTarget {
  if (snapshotId && !projectId && !systemId) return { kind: 'snapshot', snapshotId }
  if (projectId && systemId && !snapshotId) return { kind: 'system', projectId, systemId }
  if (projectId && !snapshotId) return { kind: 'project', projectId }
  const given = Object.entries({ projectId, systemId, snapshotId }).filter(([, id]) => id)
  throw new EspalierError(
    'BAD_INPUT',
    `deletionPreview: found ${given.map(([name]) => name).join(' and ') || 'nothing'}, expected projectId, or projectId and systemId, or snapshotId alone`,
  )
}

async function run({ platform: { database }, actor }: ApiContext, target: DeletionTarget, token: string): Promise<DeletionPreview> {
  if (await isLargeDeletion(database, target))
    throw new EspalierError(
      'BAD_INPUT',
      `delete ${target.kind}: more than ${largestDeletion.toLocaleString('en')} facts are concerned, which takes longer than a request should; nothing was deleted`,
      { remedy: 'Use the mutation queueDeletion with the same token: it answers a run, whose events tell how it goes.' },
    )
  return deletionOf(await applyDeletion(database, target, token, actor))
}

@Resolver()
export class DeletionResolver {
  @Query(() => DeletionPreview, { description: 'What the deletion of a project, a system or a snapshot would take; nothing is deleted.' })
  async deletionPreview(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true, description: 'A system of the project' }) systemId?: string | null,
    @Arg('snapshotId', () => ID, { nullable: true }) snapshotId?: string | null,
  ): Promise<DeletionPreview> {
    return deletionOf(await previewDeletion(platform.database, targetOf(projectId, systemId, snapshotId)))
  }

  @Mutation(() => DeletionPreview, {
    description: "Takes a project out: its systems, snapshots, histories, pattern sets and people's words. Datasets, runs and models stay.",
  })
  deleteProject(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('token', () => String, tokenOption) token: string,
  ): Promise<DeletionPreview> {
    return run(context, { kind: 'project', projectId }, token)
  }

  @Mutation(() => DeletionPreview, {
    description: "Takes a system out of its project, with its snapshots and people's words of its nodes.",
  })
  deleteSystem(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('systemId', () => ID) systemId: string,
    @Arg('token', () => String, tokenOption) token: string,
  ): Promise<DeletionPreview> {
    return run(context, { kind: 'system', projectId, systemId }, token)
  }

  @Mutation(() => DeletionPreview, {
    description: "Takes a snapshot out, as if it had never been ingested. People's words stay, also of nodes that it alone told of.",
  })
  deleteSnapshot(
    @Ctx() context: ApiContext,
    @Arg('snapshotId', () => ID) snapshotId: string,
    @Arg('token', () => String, tokenOption) token: string,
  ): Promise<DeletionPreview> {
    return run(context, { kind: 'snapshot', snapshotId }, token)
  }

  @Mutation(() => Run, { description: 'Queues a run that deletes a project, a system of it or a snapshot of it: for what takes long.' })
  async queueDeletion(
    @Ctx() { platform: { database }, actor }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('token', () => String, tokenOption) token: string,
    @Arg('systemId', () => ID, { nullable: true, description: 'Only this system of the project' }) systemId?: string | null,
    @Arg('snapshotId', () => ID, { nullable: true, description: 'Only this snapshot of the project' }) snapshotId?: string | null,
  ): Promise<Run> {
    const options = { projectId, token, ...present({ systemId, snapshotId }) }
    const queued = await startRun(database, { kind: 'delete', options }, new Date())
    await appendAudit(database, {
      actor,
      action: 'queue-deletion',
      subject: snapshotId ?? [projectId, systemId].filter(Boolean).join('/'),
      details: { runId: queued.id },
    })
    return queued
  }
}
