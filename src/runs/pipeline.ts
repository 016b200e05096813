import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Database } from '../postgres/sql.js'
import type { Logger } from '../util/log.js'
import type { Run } from '../vocabulary.js'
import { type Attempt, type Claim, type Handler, interrupted, startAttempt, type Wanted } from './attempt.js'
import { readEvents } from './event-store.js'
import type { Lease } from './lease-store.js'
import {
  claimChild,
  countForwarded,
  findStepResult,
  hasMoreToForward,
  readPipelineStep,
  reviveChild,
  savePipelineStep,
} from './pipeline-store.js'
import { isTerminal } from './states.js'
import { toldOf } from './step-event.js'
import { controlChannel, readRun, requestControl } from './store.js'

/** What a pipeline works with: its own claim, and what does the work of a claimed child. */
export interface PipelineParts {
  database: Database
  claim: Claim
  perform: Handler
  log?: Logger
  /** seconds before the first retry of a child, doubled for each further one (default 5) */
  retryDelaySeconds?: number
}

/** One step as it is to be done. */
export interface StepRequest {
  step: string
  /** SHA-256 of what goes in; null: what goes in lies outside, so nothing is reused */
  inputHash: string | null
  /** creates the child; `alongside` runs in the same transaction, so that no worker sees it unclaimed */
  create(alongside: (client: Client, child: Run) => Promise<void>): Promise<Run>
  /** whether the output of an earlier run still is there and still true (default: yes) */
  isReusable?(run: Run): Promise<boolean>
  /** how far the child is, 0 to 1 */
  onProgress?(fraction: number): Promise<void>
}

export type StepEnd = { state: 'ended'; run: Run; isReused: boolean } | { state: 'paused' | 'cancelled' | 'drained' }

/** How often a child is looked after: its events handed on, what is asked of its parent passed down. */
const lookMs = 150

/** Hands what a child says on to its parent's log, each event once however often the parent is taken up again. */
async function openForwarding({ database, claim }: PipelineParts, { step, onProgress }: StepRequest, childId: string) {
  let known = await countForwarded(database, claim.run.id, step)
  let after = 0
  return async function pull(): Promise<void> {
    for (;;) {
      const events = await readEvents(database, childId, { after, limit: 500 })
      for (const event of events) {
        after = event.sequence
        const told = toldOf(step, event)
        if (!told || known-- > 0) continue
        await claim.record(told)
        if (event.type === 'metric' && event.name === 'progress') await onProgress?.(event.value)
      }
      if (events.length < 500) return
    }
  }
}

/** Passes on to a child what is asked of its parent, and what is taken back. */
function openRelay({ database, claim }: PipelineParts, childId: string) {
  let told: 'pause' | 'cancel' | null = null
  let hasPaused = false
  return {
    async relay(attempt?: Attempt): Promise<void> {
      const wanted = claim.wanted()
      if (wanted === 'drain') return attempt?.drain()
      if (wanted === told) return
      told = wanted
      if (wanted === 'pause') hasPaused = true
      // a child that has just ended, or waits to be tried again, has nothing to be told
      await requestControl(database, childId, wanted).catch(() => undefined)
      attempt?.check()
    },
    /** whether it was asked to pause, and the request was taken back since */
    isTakenBack: () => hasPaused && told === null,
  }
}

/** Works on a claimed child to the end of the attempt, in this worker's place for the parent. */
async function attend(parts: PipelineParts, lease: Lease, look: (attempt: Attempt) => Promise<void>): Promise<void> {
  const { database, claim, perform, log, retryDelaySeconds } = parts
  const options = { ...(log ? { log } : {}), ...(retryDelaySeconds === undefined ? {} : { retryDelaySeconds }) }
  const attempt = startAttempt(database, lease, perform, options)
  const abandon = () => attempt.abandon()
  claim.signal.addEventListener('abort', abandon)
  if (claim.signal.aborted) abandon()
  const unlisten = await database.listen(controlChannel, (id) => (id === '' || id === lease.run.id) && attempt.check())
  let isOver = false
  const over = attempt.ended.then(() => {
    isOver = true
  })
  try {
    while (!isOver) {
      await Promise.race([over, delay(lookMs)])
      await look(attempt)
    }
  } finally {
    // whatever went wrong here, the child is not left running without anyone who looks after it
    if (!isOver) abandon()
    await over
    claim.signal.removeEventListener('abort', abandon)
    await unlisten()
  }
}

/** Works on the child, or waits for the worker that does, until it ends or the parent is to stop. */
async function drive(parts: PipelineParts, request: StepRequest, childId: string, first: Lease | null): Promise<StepEnd> {
  const { database, claim } = parts
  const pull = await openForwarding(parts, request, childId)
  const { relay, isTakenBack } = openRelay(parts, childId)
  const look = async (attempt?: Attempt) => {
    await relay(attempt)
    await pull()
  }
  for (let lease = first; ; ) {
    if (lease) await attend(parts, lease, look)
    claim.signal.throwIfAborted()
    const child = (await readRun(database, childId))!
    await look()
    const isToGoOn = claim.wanted() === null && (child.state === 'pending' || (child.state === 'paused' && isTakenBack()))
    const end = isToGoOn ? null : endOf(child, claim.wanted())
    if (end) return end
    lease = isToGoOn ? await claimChild(database, childId, claim.workerId) : null
    if (!lease) await delay(lookMs)
  }
}

/** How the step ends where its child is now; null: it goes on. A child that was paused by itself pauses its parent. */
function endOf(child: Run, wanted: Wanted | null): StepEnd | null {
  if (isTerminal(child.state))
    return child.state === 'cancelled' && wanted === 'cancel' ? { state: 'cancelled' } : { state: 'ended', run: child, isReused: false }
  if (wanted === 'drain') return { state: 'drained' }
  const isAtRest = child.state === 'paused' || (child.state === 'pending' && wanted === 'pause')
  return isAtRest && wanted !== 'cancel' ? { state: 'paused' } : null
}

/** The step's run from before: done already, or to be gone on with. */
async function goOn(parts: PipelineParts, request: StepRequest, known: { run: Run; isReused: boolean }): Promise<StepEnd> {
  const { database, claim } = parts
  const { id, state } = known.run
  if (state === 'completed') {
    // by another worker, perhaps, while nobody worked on the parent
    const isUntold = !known.isReused && (await hasMoreToForward(database, id, await countForwarded(database, claim.run.id, request.step)))
    if (isUntold) await (await openForwarding(parts, request, id))()
    return { state: 'ended', ...known }
  }
  await claim.record({ type: 'log', level: 'info', message: `step ${request.step} goes on where it was: run ${id}, ${state}` })
  if (state === 'failed' || state === 'cancelled') await reviveChild(database, id)
  const lease = state === 'running' ? null : await claimChild(database, id, claim.workerId)
  return drive(parts, request, id, lease)
}

/** An earlier run into which the same went, whose output can be had again. */
async function reuse({ database, claim }: PipelineParts, { step, inputHash, isReusable }: StepRequest): Promise<Run | null> {
  const run = inputHash === null ? null : await findStepResult(database, step, inputHash)
  if (!run || (isReusable && !(await isReusable(run)))) return null
  await savePipelineStep(database, { parentId: claim.run.id, step, runId: run.id, inputHash: inputHash!, isReused: true })
  await claim.record({
    type: 'log',
    level: 'info',
    message: `step ${step}: nothing that goes in has changed, the result of run ${run.id} is used`,
  })
  return run
}

/**
 * Does one step of a pipeline as a child run, inside its parent's own attempt: one worker with one place can finish it. A step that is
 * done is answered as it is; one that was begun goes on; one into which nothing new goes is taken from an earlier pipeline. What the
 * child says is handed on to the parent's log; a pause or cancel of the parent reaches the child, and so does its stop.
 */
export async function runStep(parts: PipelineParts, request: StepRequest): Promise<StepEnd> {
  const { database, claim } = parts
  const { step, inputHash } = request
  const known = await readPipelineStep(database, claim.run.id, step)
  if (known) return goOn(parts, request, known)
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const earlier = await reuse(parts, request)
  if (earlier) return { state: 'ended', run: earlier, isReused: true }
  let lease: Lease | null = null
  const { id } = await request.create(async (client, child) => {
    await savePipelineStep(client, { parentId: claim.run.id, step, runId: child.id, inputHash: inputHash ?? '', isReused: false })
    lease = await claimChild(client, child.id, claim.workerId)
  })
  await claim.record({ type: 'log', level: 'info', message: `step ${step}: run ${id}` })
  return drive(parts, request, id, lease)
}
