import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { checkpointName, readCheckpoints, type SavedCheckpoint, saveCheckpoint } from '../runs/checkpoint-store.js'
import { saveRunFile } from '../runs/file-store.js'
import { decodeCheckpoint } from '../training/checkpoint.js'
import type { TrainingEvent, TrainingResult } from '../training/events.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import type { Properties } from '../vocabulary.js'
import type { TaskContext } from './task.js'

/** How a training ended. */
export type TrainingEnd = { state: 'finished'; result: TrainingResult } | { state: 'paused' | 'cancelled' | 'drained' }

type Context = Pick<TaskContext<unknown>, 'platform' | 'claim'>

/** The bytes of a checkpoint; null, with a warning in the log, where they are gone or damaged. */
async function readCheckpoint({ platform, claim }: Context, { step, blob }: SavedCheckpoint): Promise<Uint8Array | null> {
  try {
    const bytes = await platform.blobs.get(blob)
    decodeCheckpoint(bytes)
    return bytes
  } catch (thrown) {
    if (!(thrown instanceof EspalierError) || (thrown.code !== 'NOT_FOUND' && thrown.code !== 'CORRUPT')) throw thrown
    const message = `the checkpoint of step ${step} cannot be used, an older one is: ${thrown.message}`
    await claim.record({ type: 'log', level: 'warn', message })
    return null
  }
}

/**
 * The bytes that a new attempt resumes from: the newest checkpoint that can be read, of this run or of the one it goes on from; undefined
 * where there is none. The same weights come of any of them.
 */
export async function resumePoint(context: Context): Promise<Uint8Array | undefined> {
  const { platform, claim } = context
  const { id, options } = claim.run
  for (const checkpoint of await readCheckpoints(platform.database, id)) {
    const bytes = await readCheckpoint(context, checkpoint)
    if (!bytes) continue
    const from = checkpoint.attempt === 0 ? String(options['resume']) : checkpointName(checkpoint)
    await claim.record({ type: 'log', level: 'info', message: `goes on from ${from}` })
    return bytes
  }
  return undefined
}

/** Keeps a file with the run. */
export async function keepFile({ platform, claim }: Context, name: string, bytes: Uint8Array, summary: Properties | null): Promise<void> {
  const { id: runId, attempt } = claim.run
  const blob = await platform.blobs.put(bytes)
  await saveRunFile(platform.database, { runId, attempt, name, blob, bytes: bytes.length, summary })
}

/** The file of a run that a trace of its steps is kept in. */
export const profileFile = 'profile.json'

async function keepProfile(context: Context, { bytes, summary }: Extract<TrainingEvent, { type: 'profile' }>): Promise<void> {
  await keepFile(context, profileFile, bytes, JSON.parse(canonicalJson(summary)) as Properties)
  const means = Object.entries(summary.phases).map(([phase, { mean }]) => `${phase} ${mean.toPrecision(3)} ms`)
  const message = `${summary.steps} steps traced (${profileFile}); means: ${means.join(', ')}`
  await context.claim.record({ type: 'log', level: 'info', message })
}

async function keepCheckpoint(
  { platform, claim }: Context,
  event: Extract<TrainingEvent, { type: 'checkpoint' }>,
  keep: number,
): Promise<void> {
  const { run } = claim
  const blob = await platform.blobs.put(event.bytes)
  const { step, best, bytes } = event
  const saved = await saveCheckpoint(
    platform.database,
    { runId: run.id, attempt: run.attempt, step, blob, bytes: bytes.length, best },
    keep,
  )
  await claim.record({ type: 'checkpoint', step, blob, bytes: bytes.length, best })
  for (const digest of saved.released) await platform.blobs.delete(digest)
}

/**
 * Records what a training says in the run's events and stores its checkpoints. Hands the event loop over after each event: heartbeats
 * and control requests must get through while onnxruntime computes.
 */
export async function recordTraining(context: Context, events: AsyncIterable<TrainingEvent>, keep: number): Promise<TrainingEnd> {
  const { claim } = context
  for await (const event of events) {
    claim.signal.throwIfAborted()
    switch (event.type) {
      case 'started': {
        const { trainingExamples, validationExamples, parameters } = event.counts
        const from = event.resumedFrom ? `, resumed at step ${event.resumedFrom.step}` : ''
        const { threads, workers } = event.runtime
        const on = `${threads} thread${threads === 1 ? '' : 's'}, ${workers} worker${workers === 1 ? '' : 's'}`
        const message = `${trainingExamples} training and ${validationExamples} validation examples, ${parameters} parameters, ${on}${from}`
        await claim.record({ type: 'log', level: 'info', message })
        break
      }
      case 'metric':
      case 'log':
        await claim.record(event)
        break
      case 'checkpoint':
        await keepCheckpoint(context, event, keep)
        break
      case 'profile':
        await keepProfile(context, event)
        break
      case 'paused':
        return { state: event.reason === 'drain' ? 'drained' : 'paused' }
      case 'cancelled':
        return { state: 'cancelled' }
      case 'finished': {
        const { type: _, ...result } = event
        return { state: 'finished', result }
      }
    }
    await yieldToLoop()
  }
  throw new Error('the training ended without saying how')
}
