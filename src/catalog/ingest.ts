import type { Client, Database } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { type Problem, problem } from '../util/problem.js'
import type { Fact, Moment } from './fact.js'
import { isScopeName } from './identity.js'
import { applyAsLast } from './ledger/append-store.js'
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
} from './ledger/ledger-store.js'
import { findRepeated, idle } from './ledger/repeat-store.js'
import { applyAmongOthers } from './ledger/rewrite-store.js'
import {
  completeSnapshot,
  mostProblems,
  type NewSnapshot,
  placeSnapshot,
  readSnapshotsById,
  type SourceFile,
  saveSnapshot,
} from './ledger/snapshot-store.js'
import { dropStaging, type FactStream, Staging } from './ledger/staging-store.js'
import { appendToOutbox } from './projection/graph-store.js'
import { saveEstateMetrics, saveLastTableMetrics, saveTableMetrics } from './quality/metric-store.js'
import { type EstateMetrics, estateMetrics, normalizeIdeal, type TypeDistribution } from './quality/metrics.js'
import { assessQuality, type Quality } from './quality/quality.js'
import { indexChanged } from './search/search-index-store.js'
import { relateControlM } from './sources/control-m-relate.js'
import { detectDialect, dialects, parseSource } from './sources/index.js'

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
      const report = await ingestHistory(client, options)
      if (options.dryRun) throw new DryRun({ ...report, snapshotId: null })
      return report
    })
  } catch (thrown) {
    if (thrown instanceof DryRun) return thrown.report
    throw thrown
  }
}

export interface IngestInput {
  /** a key of `sources`; recognised from name and text where it is left out */
  dialect?: string
  /** path relative to what the caller named; default `text 1`, `text 2`, … */
  file?: string
  text: string
}

export interface IngestRequest extends IngestOptions {
  inputs: readonly IngestInput[]
  /** values of `${NAME}` in DDL */
  variables?: Readonly<Record<string, string>>
  /** of tables that DDL names without one (default `default`) */
  defaultDatabase?: string
}

/** Reads the texts by their dialects and ingests what they say, as one snapshot. Bad input becomes problems, never a lost file. */
export async function ingest(database: Database, { inputs, variables, defaultDatabase, ...options }: IngestRequest): Promise<IngestReport> {
  assertOptions(options)
  const { projectId, systemId } = options
  const facts: Fact[] = []
  const problems: Problem[] = []
  const moments: Moment[] = []
  const sources: SourceFile[] = []
  for (const [i, { text, file = `text ${i + 1}`, ...input }] of inputs.entries()) {
    const dialect = input.dialect ?? detectDialect(file, text.slice(0, 4000))
    if (dialect === null) {
      problems.push(unknownDialect(file, text))
      continue
    }
    const context = { projectId, systemId, file, ...(variables ? { variables } : {}), ...(defaultDatabase ? { defaultDatabase } : {}) }
    const parsed = await parseSource(dialect, text, context)
    for (const fact of parsed.facts) facts.push(fact)
    problems.push(...parsed.problems)
    moments.push(...(parsed.moments ?? []))
    sources.push({ dialect, file, bytes: Buffer.byteLength(text) })
  }
  return ingestFacts(database, { ...options, ...relateControlM(facts, problems), moments: inOrder(moments), sources })
}

/** Moments of several files in order of time; those of one time become one. */
function inOrder(moments: readonly Moment[]): Moment[] {
  const byTime = new Map<number, Fact[]>()
  for (const { observedAt, facts } of moments) byTime.set(observedAt.getTime(), [...(byTime.get(observedAt.getTime()) ?? []), ...facts])
  return [...byTime].sort(([a], [b]) => a - b).map(([at, facts]) => ({ observedAt: new Date(at), facts }))
}

/** The moments of a history, a snapshot each, then what stands after them: never earlier than the last. */
async function ingestHistory(client: Client, { moments = [], ...options }: FactIngest): Promise<IngestReport> {
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

const unknownDialect = (file: string, text: string): Problem =>
  problem({
    code: 'unknown-dialect',
    where: file,
    found: text.trim().slice(0, 60),
    expected: `a text of one of the dialects ${dialects.join(', ')}`,
    suggestion: 'Name the dialect.',
  })

async function ingestWith(client: Client, options: FactIngest): Promise<IngestReport> {
  const { projectId, systemId, now, observedAt = now, complete: isComplete = false, sources = [] } = options
  await lockProject(client, projectId)
  const scope = await openScope(client, projectId, systemId)

  const moment = { scope, observedAt, ingestedAt: now, isComplete, sources }
  const repeated = await findRepeated(client, moment, options.facts)
  const { contentHash, factsDigest, problems: found, hasOpenEnds } = repeated ?? (await stageFacts(client, moment, options.facts))
  const problems = [...(options.problems ?? []), ...found]

  const snapshot = await placeSnapshot(client, { ...moment, contentHash })
  if ('known' in snapshot) return readReplay(client, snapshot.known, problems)

  if (repeated) await planRepetition(client, snapshot, repeated.id)
  else {
    await keyStaged(client, snapshot)
    await planDifferences(client, snapshot)
  }
  await saveSnapshot(client, snapshot)
  await saveAssertions(client, snapshot)
  if (snapshot.isLast) await applyAsLast(client, snapshot)
  else await applyAmongOthers(client, snapshot)

  await indexChanged(client, snapshot)
  const ideal = normalizeIdeal(options.ideal)
  await (snapshot.isLast ? saveLastTableMetrics(client, snapshot, ideal) : saveTableMetrics(client, ideal))
  const metrics = estateMetrics(await saveEstateMetrics(client, snapshot, ideal), ideal)
  const quality = assessQuality(metrics)
  assertQuality(quality, options)

  problems.push(...(await readDangling(client, snapshot, mostProblems)).map(danglingEdge))
  const { nodes, edges } = repeated?.counts ?? (await countPlan(client))
  const changes = changesIn(nodes, edges)
  await completeSnapshot(client, snapshot, { nodes, edges, metrics, quality }, problems, {
    inputProblems: options.problems?.length ?? 0,
    // what was looked up in a ledger that this snapshot itself changed may be found differently the next time
    factsDigest: hasOpenEnds && changes > 0 ? '' : factsDigest,
  })
  await appendToOutbox(client, [projectId, `${projectId}/${systemId}`])
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

async function stageFacts(
  client: Client,
  { scope, observedAt, isComplete }: Pick<NewSnapshot, 'scope' | 'observedAt' | 'isComplete'>,
  facts: FactStream,
) {
  const staging = new Staging(client, scope, observedAt)
  const contentHash = await staging.stage(facts, isComplete)
  return { contentHash, factsDigest: staging.digest.end(), problems: staging.problems, hasOpenEnds: staging.hasOpenEnds }
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
