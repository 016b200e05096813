import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readProjectSettings } from '../../access/store.js'
import type { BlobStore } from '../../blobs/blob-store.js'
import { type IngestProgress, ingest as ingestInto } from '../../catalog/ingest.js'
import type { IngestOptions } from '../../catalog/ingest-options.js'
import type { IngestInput } from '../../catalog/parsing/read-texts.js'
import type { Claim, Outcome } from '../../runs/attempt.js'
import { canonicalJson } from '../../util/hash.js'
import { describeProblem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import type { Task } from '../task.js'

/** Larger documents are never held whole: they are read from a file. */
const largestHeld = 8 * 2 ** 20

/** The documents, large ones as files of the folder. */
async function readDocuments(blobs: BlobStore, sources: IngestOptions['sources'], folder: string): Promise<IngestInput[]> {
  const inputs: IngestInput[] = []
  for (const { dialect, file, blob } of sources) {
    const stat = await blobs.stat(blob)
    if (stat && stat.bytes > largestHeld) {
      const copy = path.join(folder, randomBytes(8).toString('hex'))
      await pipeline(blobs.read(blob), createWriteStream(copy))
      inputs.push({ dialect, file, text: { path: copy } })
    } else inputs.push({ dialect, file, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(await blobs.get(blob)) })
  }
  return inputs
}

/** Which part of the work each phase is, and where it begins. */
const phases = { reading: [0, 0.5], staging: [0.5, 0.2], writing: [0.7, 0.3] } as const
const betweenNotesMs = 500

/** Says how far it is, twice a second at most, as the metric `progress` (0 to 1). */
function progressOf(claim: Claim): (progress: IngestProgress) => void {
  let [step, told, phase] = [0, Number.NEGATIVE_INFINITY, '']
  return ({ phase: now, done, total }) => {
    if (now === phase && performance.now() - told < betweenNotesMs) return
    ;[told, phase] = [performance.now(), now]
    const [begin, part] = phases[now]
    const value = begin + (total > 0 ? (part * done) / total : 0)
    // if it cannot be written, the next thing that is awaited says so
    claim.record({ type: 'metric', name: 'progress', step: ++step, value }).catch(() => undefined)
  }
}

const askedMs = 200

/** What is asked of the run ends its reading and staging; its transaction, once that far, is finished. */
export async function heeding(claim: Claim, work: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
  const asked = new AbortController()
  const timer = setInterval(() => claim.wanted() && asked.abort(), askedMs)
  try {
    return await work(AbortSignal.any([claim.signal, asked.signal]))
  } catch (thrown) {
    const wanted = claim.wanted()
    if (!asked.signal.aborted || claim.signal.aborted || wanted === null) throw thrown
    return { state: ({ cancel: 'cancelled', pause: 'paused', drain: 'drained' } as const)[wanted] }
  } finally {
    clearInterval(timer)
  }
}

/**
 * Ingests stored documents in one transaction: an attempt that is cut short leaves nothing but what it has parsed, which the next one
 * does not parse again. The same documents at the same time twice are one snapshot.
 */
export const ingest: Task<IngestOptions> = async ({ platform, claim, options }) => {
  const { projectId, systemId, observedAt, complete, dryRun, variables, defaultDatabase } = options
  const folder = await mkdtemp(path.join(os.tmpdir(), 'espalier-ingest-'))
  try {
    return await heeding(claim, async (signal) => {
      const inputs = await readDocuments(platform.blobs, options.sources, folder)
      signal.throwIfAborted()
      const settings = await readProjectSettings(platform.database, projectId)
      const rejectBelow = options.rejectBelow ?? settings.rejectBelow
      const report = await ingestInto(platform.database, {
        ...{ projectId, systemId, inputs, complete, dryRun, variables, signal, onProgress: progressOf(claim) },
        ...(observedAt ? { observedAt: new Date(observedAt) } : {}),
        ...(defaultDatabase ? { defaultDatabase } : {}),
        ...(rejectBelow === null ? {} : { rejectBelow }),
        ...(settings.idealDistribution === null ? {} : { ideal: settings.idealDistribution }),
        now: new Date(),
      })
      for (const problem of report.problems.slice(0, 100))
        await claim.record({ type: 'log', level: problem.severity === 'info' ? 'info' : 'warn', message: describeProblem(problem) })
      const { problems } = report
      const result = { ...report, problemCount: problems.length, problems: problems.slice(0, 1000) }
      return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
