import { openDatabase } from '../../postgres/database.js'
import type { Database, Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Fact, Moment, SourceContext } from '../fact.js'
import { detectDialect, dialects, isDialect, sources } from '../sources/index.js'
import { digestOf, type ParseJob, parseText } from './parse-job.js'
import { type PoolOptions, parseTexts, partsOfFacts } from './parse-pool.js'
import { decodeFacts, type ParsedHead } from './parsed-facts.js'
import { findParsed, pruneParsed, readPart, saveHead, savePart } from './parsed-store.js'
import { headOf, printOf, type TextSource } from './text-source.js'

export interface IngestInput {
  /** a key of `sources`; recognised from name and text where it is left out */
  dialect?: string
  /** path relative to what the caller named; default `text 1`, `text 2`, … */
  file?: string
  /** the text itself, or the file that it lies in (read as a stream where its dialect allows) */
  text: TextSource
}

/** How far the reading of texts is: bytes of them. */
export type ReadProgress = (done: number, total: number) => void

export interface ReadOptions extends Omit<SourceContext, 'file'>, PoolOptions {
  /** whether what was parsed may be kept for the next time (default true) */
  keep?: boolean
  /** whether what the texts lack is taken for gone (default false): then a text that cannot be read is no mere problem */
  isComplete?: boolean
  onProgress?: ReadProgress
}

/** What texts say, all together. */
export interface TextReading {
  problems: Problem[]
  /** earlier times that the texts tell of, in order */
  moments: Moment[]
  /** how many `facts` there are */
  count: number
  /** in the order of the texts; may be read again */
  facts(): AsyncIterable<Fact>
}

/** A text that has been parsed, now or before. */
interface Parsed {
  head: ParsedHead
  /** what it said, where that is small or may not be kept; else it lies in the store */
  facts?: Fact[]
  parts?: Uint8Array[]
}

/** Of facts as they are, and of gzipped parts: what is held in memory of one ingest at most; the rest lies in the store. */
const mostFacts = 50_000
const mostPartBytes = 8 * 2 ** 20
/** Shorter texts are parsed in less time than it takes to look for them. */
const leastKeptBytes = 4_000
const leastKeptMs = 5

/** Files with problems, and the jobs of the others. */
export async function planReading(
  inputs: readonly IngestInput[],
  context: Omit<SourceContext, 'file'>,
): Promise<{ jobs: ParseJob[]; problems: Problem[] }> {
  const jobs: ParseJob[] = []
  const problems: Problem[] = []
  for (const [i, { text, file = `text ${i + 1}`, ...input }] of inputs.entries()) {
    const head = input.dialect === undefined ? headOf(text) : ''
    const dialect = input.dialect ?? detectDialect(file, head)
    if (dialect === null) problems.push(unknownDialect(file, head))
    else {
      if (!isDialect(dialect)) await parseText({ dialect, text: '', print: { sha256: '', bytes: 0 }, context: { ...context, file } })
      jobs.push({ dialect, text, print: await printOf(text), context: { ...context, file } })
    }
  }
  if (jobs.length === 0) assertSomething([], {}, problems)
  return { jobs, problems }
}

const unknownDialect = (file: string, text: string): Problem =>
  problem({
    code: 'unknown-dialect',
    where: file,
    found: text.trim().slice(0, 60),
    expected: `a text of one of the dialects ${dialects.join(', ')}`,
    suggestion: 'Name the dialect.',
  })

/** Names texts with all that their reading depends on; '' where some tell of several times. */
export const digestOfTexts = (jobs: readonly ParseJob[]): string =>
  jobs.some(({ dialect }) => isDialect(dialect) && 'tellsTimes' in sources[dialect]) ? '' : sha256(jobs.map(digestOf).join('\n'))

/**
 * Reads texts: those that were read before from what was kept of them, the others on all cores. What is not small is kept in the
 * store and read from it part by part, so that the memory that texts take does not grow with them.
 */
export async function readTexts(database: Database, jobs: readonly ParseJob[], options: ReadOptions): Promise<TextReading> {
  const digests = jobs.map(digestOf)
  const known = await findParsed(
    database,
    digests.filter((_, i) => jobs[i]!.print.bytes >= leastKeptBytes),
  )
  const parsed = new Map<number, Parsed>(
    jobs.flatMap((_, i) => (known.has(digests[i]!) ? [[i, { head: known.get(digests[i]!)!.head }]] : [])),
  )
  const unread = [...jobs.keys()].filter((i) => !parsed.has(i))
  await parseUnread(database, jobs, digests, unread, parsed, options)
  if (options.isComplete) assertWhole([...parsed.values()])
  const heads = jobs.map((_, i) => parsed.get(i)!.head)
  assertSomething(heads, options)
  return {
    problems: heads.flatMap((head, i) => (saysNothing(head) && head.problems.length === 0 ? [silent(jobs[i]!)] : head.problems)),
    moments: inOrder(heads.flatMap((head) => head.moments ?? [])),
    count: heads.reduce((sum, head) => sum + head.facts, 0),
    facts: () => streamFacts(database, jobs, digests, parsed),
  }
}

async function parseUnread(
  database: Database,
  jobs: readonly ParseJob[],
  digests: readonly string[],
  unread: readonly number[],
  parsed: Map<number, Parsed>,
  { keep = true, onProgress, threads, heapMiB, leastBytes, signal }: ReadOptions,
): Promise<void> {
  const total = jobs.reduce((sum, { print }) => sum + print.bytes, 0)
  const left = new Set(unread)
  const progress = () => onProgress?.(total - [...left].reduce((sum, i) => sum + jobs[i]!.print.bytes, 0), total)
  const room = { facts: mostFacts, bytes: mostPartBytes }
  const building = new Map<number, { parts: Uint8Array[]; count: number; bytes: number; isKept: boolean }>()
  const buildingOf = (at: number) => {
    if (!building.has(at)) building.set(at, { parts: [], count: 0, bytes: 0, isKept: false })
    return building.get(at)!
  }
  const addPart = async (at: number, bytes: Uint8Array) => {
    const text = buildingOf(at)
    const part = text.count++
    text.bytes += bytes.length
    room.bytes -= bytes.length
    // a dry run leaves nothing behind, whatever it takes
    if (room.bytes >= 0 || !keep) text.parts.push(bytes)
    if (keep) await savePart(database, digests[at]!, part, bytes)
  }
  await parseTexts(
    unread.map((i) => jobs[i]!),
    {
      part: (index, _, bytes) => addPart(unread[index]!, bytes),
      facts: async (index, facts, milliseconds) => {
        const at = unread[index]!
        const isWorth = keep && milliseconds >= leastKeptMs && jobs[at]!.print.bytes >= leastKeptBytes
        room.facts -= facts.length
        if (isWorth || room.facts < 0) for (const part of partsOfFacts(facts)) await addPart(at, part)
        if (room.facts >= 0) parsed.set(at, { head: { problems: [], facts: facts.length }, facts })
      },
      done: async (index, head) => {
        const at = unread[index]!
        const { parts, count, bytes } = buildingOf(at)
        const facts = parsed.get(at)?.facts
        const isInMemory = parts.length === count
        parsed.set(at, { head, ...(facts ? { facts } : isInMemory ? { parts } : {}) })
        const isStored = keep && (count > 0 || !facts)
        if (isStored && !head.isFailed)
          await saveHead(database, { digest: digests[at]!, projectId: jobs[at]!.context.projectId, parts: count, bytes, head })
        building.delete(at)
        left.delete(at)
        progress()
      },
    },
    {
      ...(threads === undefined ? {} : { threads }),
      ...(heapMiB === undefined ? {} : { heapMiB }),
      ...(leastBytes === undefined ? {} : { leastBytes }),
      ...(signal ? { signal } : {}),
    },
  )
  if (keep && unread.length > 0) await pruneParsed(database)
}

/** Where what is absent is gone, a text of which nothing is known must not pass for one that says nothing. */
function assertWhole(parsed: readonly Parsed[]): void {
  const failed = parsed.filter(({ head }) => head.isFailed)
  if (failed.length === 0) return
  const problems = failed.flatMap(({ head }) => head.problems)
  throw new EspalierError(
    'UNREADABLE',
    `ingest: ${failed.length} file(s) could not be read, the first is ${problems[0]!.where}: ${problems[0]!.found}; nothing was ingested`,
    {
      problems,
      remedy: 'Ingest the others without them, or these in smaller parts.',
    },
  )
}

const saysNothing = ({ facts, moments = [] }: ParsedHead): boolean => facts === 0 && moments.length === 0

/**
 * Texts of which none could be read are a mistake of whoever names them, not news of the system: no snapshot is made of them. No more are
 * texts that are all there is of a system and say nothing: an export that failed must not pass for the end of everything.
 */
function assertSomething(
  heads: readonly ParsedHead[],
  { isComplete = false }: Pick<ReadOptions, 'isComplete'>,
  unknown: readonly Problem[] = [],
): void {
  const problems = [...unknown, ...heads.flatMap((head) => head.problems)]
  const first = problems.find(({ severity }) => severity === 'error')
  if (!heads.every(saysNothing) || !(first || isComplete)) return
  const which = heads.length > 1 ? `${heads.length} files say` : 'the file says'
  throw new EspalierError(
    'UNREADABLE',
    `nothing could be read: ${first ? `${first.where}: found ${first.found}` : `${which} nothing`}; nothing was saved`,
    {
      problems,
      remedy: first
        ? 'Mend the text, or name its dialect if it was taken for another one.'
        : 'All that is known of the system would be gone: delete the system if that is meant.',
    },
  )
}

const silent = ({ dialect, print, context }: ParseJob): Problem =>
  problem({
    severity: 'warning',
    code: 'says-nothing',
    where: context.file,
    found: print.bytes === 0 ? 'an empty file' : 'nothing that tells of the system',
    expected: isDialect(dialect) ? sources[dialect].name : dialect,
    suggestion: 'Name its dialect if it was taken for another one.',
  })

async function* streamFacts(
  database: Database,
  jobs: readonly ParseJob[],
  digests: readonly string[],
  parsed: ReadonlyMap<number, Parsed>,
): AsyncGenerator<Fact> {
  // a connection of its own: who streams into a transaction holds one already, and must not wait for one of those that others hold
  let own: Database | undefined
  const store = async (): Promise<Sql> => (own ??= await openDatabase(database.url, { maxConnections: 1 }))
  try {
    for (const [i, job] of jobs.entries()) {
      const { head, facts, parts } = parsed.get(i)!
      if (facts) yield* facts
      else if (parts) for (const part of parts) yield* decodeFacts(part)
      else yield* storedFacts(await store(), job, digests[i]!, head)
    }
  } finally {
    await own?.close()
  }
}

async function* storedFacts(sql: Sql, job: ParseJob, digest: string, head: ParsedHead): AsyncGenerator<Fact> {
  let count = 0
  for (let part = 0; count < head.facts; part++) {
    const facts = await readPart(sql, digest, part)
    if (facts === null) break
    count += facts.length
    yield* facts
  }
  if (count === head.facts) return
  // forgotten meanwhile (a deletion of the project, a clock that leapt): it is read again
  const { facts } = await parseText(job)
  yield* facts.slice(count)
}

/** Moments of several files in order of time; those of one time become one. */
function inOrder(moments: readonly Moment[]): Moment[] {
  const byTime = new Map<number, Fact[]>()
  for (const { observedAt, facts } of moments) byTime.set(observedAt.getTime(), [...(byTime.get(observedAt.getTime()) ?? []), ...facts])
  return [...byTime].sort(([a], [b]) => a - b).map(([at, facts]) => ({ observedAt: new Date(at), facts }))
}
