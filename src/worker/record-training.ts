import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { latestCheckpoint, saveCheckpoint } from '../runs/checkpoint-store.js'
import type { TrainingEvent, TrainingResult } from '../training/events.js'
import type { TaskContext } from './task.js'

/** How a training ended. */
export type TrainingEnd = { state: 'finished'; result: TrainingResult } | { state: 'paused' | 'cancelled' | 'drained' }

type Context = Pick<TaskContext<unknown>, 'platform' | 'claim'>

/** The bytes that a new attempt resumes from; undefined in a first one. */
export async function resumePoint({ platform, claim }: Context): Promise<Uint8Array | undefined> {
  const checkpoint = await latestCheckpoint(platform.database, claim.run.id)
  return checkpoint ? platform.blobs.get(checkpoint.blob) : undefined
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
        const message = `${trainingExamples} training and ${validationExamples} validation examples, ${parameters} parameters${from}`
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
