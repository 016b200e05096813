import { buildIndexes } from '../postgres/bulk-load.js'
import type { Client, Connection, Database, Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { type Problem, problem } from '../util/problem.js'
import { sweepDerivedKeys } from './derive/derivation-store.js'
import { deriveFacts } from './derive/derive.js'
import { OpenEnds } from './derive/open-end.js'
import { hasOpenEndsIn, saveNeeds } from './derive/open-store.js'
import { readUnsettled } from './derive/unsettled.js'
import type { Fact, Moment } from './fact.js'
import { peekFacts } from './facts-peek.js'
import { isScopeName } from './identity.js'
import { applyAsLast } from './ledger/append-store.js'
import { assertToldOnce, bringStagedHome, joinFresh } from './ledger/fresh-join-store.js'
import { NotFresh } from './ledger/fresh-rows.js'
import { FreshBatches, isFresh, isTaken } from './ledger/fresh-store.js'
import { settleHomes } from './ledger/home-store.js'
import { keyStaged } from './ledger/key-store.js'
import {
  countPlan,
  type Dangling,
  lockProject,
  openScope,
  planDifferences,
  planRepetition,
  readDangling,
  saveAssertions,
  type Tally,
  takeLedgerIndexes,
} from './ledger/ledger-store.js'
import { findRepeated, findReplay, idle, isRepetition } from './ledger/repeat-store.js'
import { applyAmongOthers } from './ledger/rewrite-store.js'
import {
  completeSnapshot,
  mostProblems,
  type NewSnapshot,
  openStream,
  placeSnapshot,
  readProblems,
  readSnapshotsById,
  type SourceFile,
  saveSnapshot,
} from './ledger/snapshot-store.js'
import { dropStaging, type FactStream, Staging } from './ledger/staging-store.js'
import { digestOfTexts, type IngestInput, planReading, readTexts, type TextReading } from './parsing/read-texts.js'
import { appendToOutbox } from './projection/graph-store.js'
import { saveEstateMetrics, saveLastTableMetrics, saveTableMetrics } from './quality/metric-store.js'
import { type EstateMetrics, estateMetrics, normalizeIdeal, type TypeDistribution } from './quality/metrics.js'
import { assessQuality, type Quality } from './quality/quality.js'
import { indexChanged } from './search/search-index-store.js'
import { readOrderProblems } from './workflow/order-store.js'

export type { IngestInput } from './parsing/read-texts.js'

export interface IngestOptions {
  projectId: string
  systemId: string
  /** does this tell of the whole system, so that what it lacks is gone? default false: what it lacks stays as it is */
  complete?: boolean
  /** when it was true (default `now`); snapshots may come in any order */
  observedAt?: Date
  /** answer what would be done, and do nothing (default false) */
  dryRun?: boolean
  /** the project's own ideal distribution of types (default: metrics.ts) */
  ideal?: Partial<TypeDistribution>
  /** what else belongs to the ingest's own transaction; not called by a dry run */
  alongside?: (client: Sql, report: IngestReport) => Promise<void>
  /** refuse, and save nothing, when the project's quality score would be below this (default: never) */
  rejectBelow?: number
  now: Date
}

export interface FactIngest extends IngestOptions {
  facts: FactStream
  /** what parsing found wrong */
  problems?: readonly Problem[]
  /** earlier times that the facts' text tells of, in order: each becomes a (partial) snapshot before this one */
  moments?: readonly Moment[]
  /** the files the facts were read from; partial snapshots of the same files are stored as differences to each other */
  sources?: readonly SourceFile[]
  /** of the texts they were read from (read-texts.ts): those of the snapshot before need not be looked at; '' (the default) where there were none */
  textDigest?: string
  /** from so many facts on, a system that is not known yet is brought in at once (default 16,000); what comes of it is the same */
  bulkFrom?: number
}

export interface IngestReport {
  /** null for a dry run */
  snapshotId: string | null
  observedAt: Date
  /** this very snapshot was in the ledger already: nothing was written */
  isReplay: boolean
  /** nodes and (visible) edges as of `observedAt` */
  nodes: Tally
  edges: Tally
  /** of the whole project as of `observedAt` */
  metrics: EstateMetrics
  quality: Quality
  problems: Problem[]
  /** nodes and edges that were added, changed or removed */
  changes: number
}

/**
 * Brings facts into the ledger, all or nothing, in one transaction: stage, place in time, plan, save, measure, tell the graph.
 * Facts stream through temporary tables: nothing but a batch is held in memory.
 */
export async function ingestFacts(database: Database, options: FactIngest): Promise<IngestReport> {
  assertOptions(options)
  try {
    return await database.transaction(async (client) => {
      const report = await ingestHistory(client, { ...options, connect: database.connect })
      if (options.dryRun) throw new DryRun({ ...report, snapshotId: null })
      await options.alongside?.(client, report)
      return report
    })
  } catch (thrown) {
    if (thrown instanceof DryRun) return thrown.report
    throw thrown
  }
}

export interface IngestRequest extends IngestOptions {
  inputs: readonly IngestInput[]
  /** values of `${NAME}` in DDL */
  variables?: Readonly<Record<string, string>>
  /** of tables that DDL names without one (default `default`) */
  defaultDatabase?: string
  /** ends it, with nothing written, until its facts are staged; after that it is one transaction that is finished soon */
  signal?: AbortSignal
  onProgress?: (progress: IngestProgress) => void
}

export interface IngestProgress {
  phase: 'reading' | 'staging' | 'writing'
  /** bytes read, facts staged */
  done: number
  total: number
}

/**
 * Reads the texts by their dialects and ingests what they say, as one snapshot. Bad input becomes problems, never a lost file. Texts that
 * were read before are not read again, and where they say what the snapshot before said, nothing is.
 */
export async function ingest(database: Database, request: IngestRequest): Promise<IngestReport> {
  const { inputs, variables, defaultDatabase, signal, onProgress, ...options } = request
  assertOptions(options)
  const { projectId, systemId, complete = false, dryRun = false, observedAt = options.now } = options
  const context = { projectId, systemId, ...(variables ? { variables } : {}), ...(defaultDatabase ? { defaultDatabase } : {}) }
  const { jobs, problems } = await planReading(inputs, context)
  const sources = jobs.map(({ dialect, print, context: { file } }) => ({ dialect, file, bytes: print.bytes }))
  const textDigest = problems.length > 0 ? '' : digestOfTexts(jobs)
  const common = { ...options, observedAt, sources, textDigest }

  if (await isRepetition(database, { projectId, systemId, isComplete: complete, observedAt, sources, textDigest })) {
    const report = await ingestFacts(database, { ...common, facts: () => unread() }).catch(unlessRead)
    if (report) return report
  }
  const onRead = (done: number, total: number) => onProgress?.({ phase: 'reading', done, total })
  const reading = await readTexts(database, jobs, {
    ...{ ...context, keep: !dryRun, isComplete: complete, onProgress: onRead },
    ...(signal ? { signal } : {}),
  })
  const staged = () => watched(reading, signal, onProgress)
  return ingestFacts(database, { ...common, facts: staged, problems: [...problems, ...reading.problems], moments: reading.moments })
}

/** Texts that were to repeat the snapshot before them, and do not: something came in between. */
class Unread extends Error {}
// biome-ignore lint/correctness/useYield: who asks for the first fact is told that there are none yet
async function* unread(): AsyncGenerator<Fact> {
  throw new Unread()
}
function unlessRead(thrown: unknown): null {
  if (thrown instanceof Unread) return null
  throw thrown
}

const factsPerNote = 5_000

async function* watched(
  { facts, count: total }: TextReading,
  signal: AbortSignal | undefined,
  onProgress: IngestRequest['onProgress'],
): AsyncGenerator<Fact> {
  let done = 0
  for await (const fact of facts()) {
    if (done++ % factsPerNote === 0) {
      signal?.throwIfAborted()
      onProgress?.({ phase: 'staging', done, total })
    }
    yield fact
  }
  onProgress?.({ phase: 'writing', done: 0, total: 1 })
}

interface OpenIngest extends FactIngest {
  /** opens another connection */
  connect: () => Promise<Connection>
}

/** The moments of a history, a snapshot each, then what stands after them: never earlier than the last. */
async function ingestHistory(client: Client, { moments = [], ...options }: OpenIngest): Promise<IngestReport> {
  const { rejectBelow: _, problems: __, ...early } = options
  const before: IngestReport[] = []
  for (const { observedAt, facts } of moments) {
    before.push(await ingestWith(client, { ...early, facts, observedAt, complete: false }))
    await dropStaging(client)
  }
  const observedAt = new Date(Math.max(...[options.observedAt ?? options.now, ...before.map((b) => b.observedAt)].map(Number)))
  const report = await ingestWith(client, { ...options, observedAt })
  return {
    ...report,
    problems: [...before.flatMap((b) => b.problems), ...report.problems],
    changes: before.reduce((sum, b) => sum + b.changes, report.changes),
  }
}

async function ingestWith(client: Client, options: OpenIngest): Promise<IngestReport> {
  try {
    return await ingestAtOnce(client, options)
  } catch (error) {
    if (!(error instanceof NotFresh)) throw error
    await client.query('rollback to savepoint fresh')
    return ingestAtOnce(client, { ...options, bulkFrom: Number.POSITIVE_INFINITY })
  }
}

async function ingestAtOnce(client: Client, options: OpenIngest): Promise<IngestReport> {
  const { projectId, systemId, now, observedAt = now, complete: isComplete = false, sources = [], textDigest = '' } = options
  await lockProject(client, projectId)
  const scope = await openScope(client, projectId, systemId)

  const moment = { scope, observedAt, ingestedAt: now, isComplete, sources }
  const open = new OpenEnds({ projectId, systemId })
  const facts = open.kept(options.facts)
  const known = await findReplay(client, { projectId, systemId, observedAt, isComplete, textDigest })
  if (known !== null) return readReplay(client, known, await readProblems(client, known, { limit: mostProblems }))
  const repeated = await findRepeated(client, { ...moment, textDigest }, facts)
  const staged = repeated ?? (await stageFacts(client, moment, facts, options))
  const { contentHash, factsDigest, problems: found } = staged
  const fresh = 'fresh' in staged ? staged.fresh : null
  const problems = [...(options.problems ?? []), ...found]

  const snapshot = await placeSnapshot(client, { ...moment, contentHash })
  if ('known' in snapshot) return readReplay(client, snapshot.known, problems)

  const taken = repeated || fresh ? [] : await takeLedgerIndexes(client)
  let kept = 0
  if (repeated) await planRepetition(client, snapshot, repeated.id)
  else {
    if (!fresh) kept = await settleHomes(client, snapshot)
    await keyStaged(client, snapshot)
    if (fresh) await settleFresh(client)
    await planDifferences(client, snapshot, fresh !== null)
  }
  await saveSnapshot(client, snapshot)
  await saveAssertions(client, snapshot)
  if (snapshot.isLast) await applyAsLast(client, snapshot)
  else await applyAmongOthers(client, snapshot)
  if (fresh) await joinFresh(client)
  await buildIndexes(client, taken)
  if (open.any) await saveNeeds(client, scope.key)
  if (fresh && (await hasOpenEndsIn(client, projectId))) await fresh.planHomes()
  const place = { projectId, observedAt, after: snapshot.isLast ? ('last' as const) : ('rewriting' as const) }
  await deriveFacts(client, place)

  await indexChanged(client, snapshot, fresh ? scope.key : null)
  const ideal = normalizeIdeal(options.ideal)
  await (snapshot.isLast ? saveLastTableMetrics(client, snapshot, ideal, fresh !== null) : saveTableMetrics(client, ideal))
  const metrics = estateMetrics(await saveEstateMetrics(client, snapshot, ideal, fresh?.untold.edges), ideal)
  const quality = assessQuality(metrics)
  assertQuality(quality, options)

  problems.push(...(await readDangling(client, snapshot, mostProblems)).map(danglingEdge))
  if (!repeated)
    problems.push(...(await readUnsettled(client, place)), ...(await readOrderProblems(client, { projectId, systemId, asOf: observedAt })))
  const { nodes, edges } = repeated?.counts ?? (await countPlan(client, fresh?.untold, kept))
  const changes = changesIn(nodes, edges)
  await completeSnapshot(client, snapshot, { nodes, edges, metrics, quality }, problems, {
    inputProblems: repeated?.inputProblems ?? options.problems?.length ?? 0,
    factsDigest,
    textDigest,
  })
  await appendToOutbox(client, [projectId, `${projectId}/${systemId}`], fresh?.came)
  await sweepDerivedKeys(client)
  return {
    snapshotId: snapshot.id,
    observedAt,
    isReplay: false,
    nodes,
    edges,
    metrics,
    quality,
    problems,
    changes,
  }
}

/** From so many facts on, what tells of a system that is not known yet is brought in without a plan (fresh-store.ts). */
const manyFacts = 16_000

async function stageFacts(
  client: Client,
  moment: Pick<NewSnapshot, 'scope' | 'isComplete' | 'observedAt' | 'sources'>,
  facts: FactStream,
  { bulkFrom = manyFacts, connect }: Pick<OpenIngest, 'bulkFrom' | 'connect'>,
) {
  const { scope, isComplete, observedAt, sources } = moment
  const stage = async (stream: FactStream, fresh: FreshBatches | null) => {
    const staging = new Staging(client, scope, fresh)
    const contentHash = await staging.stage(stream, isComplete)
    return { contentHash, factsDigest: staging.digest.end(), problems: staging.problems, fresh }
  }
  if (bulkFrom === Number.POSITIVE_INFINITY || !(await isFresh(client, scope, observedAt))) return stage(facts, null)
  const { stream, isMany } = await peekFacts(facts, bulkFrom)
  if (!isMany) return stage(stream, null)
  await client.query('savepoint fresh')
  try {
    const firstStream = await openStream(client, scope, isComplete, sources)
    return await stage(stream, new FreshBatches(client, scope, firstStream, observedAt, connect))
  } catch (error) {
    throw isTaken(error) ? new NotFresh() : error
  }
}

/** What was staged beside a first load is keyed: from here on it cannot turn out to be none. */
async function settleFresh(client: Client): Promise<void> {
  await assertToldOnce(client)
  await bringStagedHome(client)
  await client.query('release savepoint fresh')
}

const changesIn = (...tallies: readonly Tally[]): number => tallies.reduce((sum, t) => sum + t.added + t.changed + t.removed, 0)

/** Thrown to roll a dry run back: it does everything, so its answer is exact. */
class DryRun extends Error {
  constructor(readonly report: IngestReport) {
    super('dry run')
  }
}

async function readReplay(client: Client, id: string, problems: Problem[]): Promise<IngestReport> {
  const [known] = await readSnapshotsById(client, [id])
  const { observedAt, metrics, quality, nodes, edges } = known!
  return { snapshotId: id, observedAt, isReplay: true, nodes: idle(nodes), edges: idle(edges), metrics, quality, problems, changes: 0 }
}

function assertOptions({ projectId, systemId, observedAt }: IngestOptions): void {
  for (const [name, value] of Object.entries({ projectId, systemId }))
    if (!isScopeName(value))
      throw new EspalierError('BAD_INPUT', `ingest: found ${name} "${value}", expected 1 to 100 letters, digits, "_", "-" or "."`, {
        remedy: 'Choose a short id; a longer title can be given to the project itself.',
      })
  if (observedAt && !(Math.abs(observedAt.getTime()) < 8e12))
    throw new EspalierError(
      'BAD_INPUT',
      `ingest: found observedAt ${observedAt.getTime()}, expected a date between the years 1720 and 2220`,
    )
}

function assertQuality(quality: Quality, { rejectBelow, projectId }: IngestOptions): void {
  if (rejectBelow === undefined || quality.score >= rejectBelow) return
  throw new EspalierError(
    'GATE_FAILED',
    `ingest: the metadata of project "${projectId}" would have quality ${quality.score.toFixed(3)} (${quality.level}), expected at least ${rejectBelow}; nothing was saved`,
    { remedy: [...quality.recommendations, 'Or lower rejectBelow for this project.'].join(' ') },
  )
}

const danglingEdge = ({ source, label, target, missing, place }: Dangling): Problem =>
  problem({
    severity: 'warning',
    code: 'dangling-edge',
    where: place || source,
    found: `${source} -[${label}]-> ${target}`,
    expected: `${missing} to exist`,
    suggestion: 'The edge is kept back, and shows itself once both ends are there: ingest what describes the missing one.',
  })
