import type { Client, Sql } from '../../postgres/sql.js'
import { sha256 } from '../../util/hash.js'
import type { Problem } from '../../util/problem.js'
import type { EstateMetrics } from '../quality/metrics.js'
import type { ProcessingStrategy, Quality } from '../quality/quality.js'
import type { Scope } from '../resolve/scope.js'
import type { Tally } from './ledger-store.js'
import { asUuid, storable } from './staged-row.js'
import { type Position, positionOf } from './temporal.js'

export interface SourceFile {
  dialect: string
  file: string
  /** of its text, where it was known */
  bytes?: number
}

/** A snapshot on its way into the ledger. */
export interface NewSnapshot {
  id: string
  scope: Scope
  position: Position
  observedAt: Date
  ingestedAt: Date
  contentHash: string
  isComplete: boolean
  sources: readonly SourceFile[]
  stream: number
  /** later than all others of its project: the current rows are what it is compared with */
  isLast: boolean
}

/** The id of a snapshot follows from what and when it is, so that it does not depend on the order of arrival. */
export const snapshotId = (projectId: string, position: Position): string => asUuid(sha256(`${projectId}\0${position}`))

/** Places a snapshot in the order of its project; `known` when that very snapshot is in the ledger already. */
export async function placeSnapshot(
  client: Client,
  snapshot: Pick<NewSnapshot, 'scope' | 'observedAt' | 'ingestedAt' | 'contentHash' | 'isComplete' | 'sources'>,
): Promise<{ known: string } | NewSnapshot> {
  const { scope, observedAt, contentHash, isComplete, sources } = snapshot
  const position = positionOf(observedAt, contentHash)
  const id = snapshotId(scope.projectId, position)
  const { rows } = await client.query<{ known: boolean; is_last: boolean }>(
    `select exists (select from snapshot where project_id = $1 and position = $2) as known,
       not exists (select from snapshot where project_id = $1 and observed_at >= $3) as is_last`,
    [scope.projectId, position, observedAt],
  )
  if (rows[0]!.known) return { known: id }
  const stream = await openStream(client, scope, isComplete, sources)
  return { ...snapshot, id, position, stream, isLast: rows[0]!.is_last }
}

export function streamName(isComplete: boolean, sources: readonly SourceFile[]): string {
  const files = [...new Set(sources.map(({ dialect, file }) => `${dialect}\0${file}`))].sort()
  return isComplete ? 'complete' : sha256(JSON.stringify(files))
}

/** All complete snapshots of a system make one stream, partial ones a stream per list of files. */
export async function openStream(client: Client, scope: Scope, isComplete: boolean, sources: readonly SourceFile[]): Promise<number> {
  const name = streamName(isComplete, sources)
  await client.query('insert into stream (scope, name) values ($1, $2) on conflict do nothing', [scope.key, name])
  return (await findStream(client, scope, isComplete, sources))!
}

/** Null where nothing has come by it yet. */
export async function findStream(sql: Sql, scope: Scope, isComplete: boolean, sources: readonly SourceFile[]): Promise<number | null> {
  const { rows } = await sql.query<{ key: number }>('select key from stream where scope = $1 and name = $2', [
    ...[scope.key, streamName(isComplete, sources)],
  ])
  return rows[0]?.key ?? null
}

/** Saves the snapshot's row (its counts come at the end) and what it takes away by name. */
export async function saveSnapshot(client: Client, s: NewSnapshot): Promise<void> {
  await client.query(
    `insert into snapshot (id, project_id, system_id, scope, stream, position, observed_at, ingested_at, content_hash, is_complete,
       sources, counts, metrics, quality, problem_count, processing_strategy)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '{}', '{}', '{}', 0, '')`,
    [
      ...[s.id, s.scope.projectId, s.scope.systemId, s.scope.key, s.stream, s.position, s.observedAt, s.ingestedAt, s.contentHash],
      ...[s.isComplete, JSON.stringify(s.sources)],
    ],
  )
  await client.query(
    `insert into snapshot_removal (snapshot_id, project_id, position, root, low, high)
     select $1, $2, $3, root, low, high from stage_removal`,
    [s.id, s.scope.projectId, s.position],
  )
}

/** The condition that a history row is in force when the snapshot arrives: now, or for a late one as of its time. */
export const inForce = (alias: string, { isLast, observedAt }: NewSnapshot): string =>
  isLast
    ? `${alias}.valid_to = 'infinity'`
    : `${alias}.valid_from <= '${observedAt.toISOString()}' and ${alias}.valid_to > '${observedAt.toISOString()}'`

export interface SnapshotSummary {
  nodes: Tally
  edges: Tally
  metrics: EstateMetrics
  quality: Quality
}

/** By which the next snapshot of the stream can see that it repeats this one (repeat-store.ts). */
export interface RepeatMarks {
  /** how many of the problems parsing found */
  inputProblems: number
  /** of the facts as they came (facts-digest.ts); '' where they must be looked at again */
  factsDigest: string
  /** of the texts they were read from; '' where there were none */
  textDigest: string
}

/** Told, with `project/system` and the snapshot's id, when an ingest commits. */
export const snapshotChannel = 'espalier_snapshot'

/** Writes the results of the ingest into the snapshot's row, with its problems (10,000 at most; the count is true), those of parsing first. */
export async function completeSnapshot(
  client: Client,
  s: NewSnapshot,
  summary: SnapshotSummary,
  problems: readonly Problem[],
  repeat: RepeatMarks,
): Promise<void> {
  const { nodes, edges, metrics, quality } = summary
  await client.query(
    'update snapshot set counts = $2, metrics = $3, quality = $4, processing_strategy = $5, problem_count = $6, input_problem_count = $7, facts_digest = $8, text_digest = $9 where id = $1',
    [
      s.id,
      { nodes, edges },
      metrics,
      quality,
      quality.processingStrategy,
      problems.length,
      repeat.inputProblems,
      repeat.factsDigest,
      repeat.textDigest,
    ],
  )
  const kept = problems.slice(0, mostProblems)
  await client.query(
    `insert into snapshot_problem (snapshot_id, ordinal, severity, code, place, found, expected, suggestion)
     select $1, * from unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`,
    [
      s.id,
      kept.map((_, i) => i),
      ...(['severity', 'code', 'where', 'found', 'expected'] as const).map((key) => kept.map((p) => storable(p[key]))),
      kept.map((p) => (p.suggestion === undefined ? null : storable(p.suggestion))),
    ],
  )
  await client.query(`select pg_notify('${snapshotChannel}', $1)`, [`${s.scope.projectId}/${s.scope.systemId} ${s.id}`])
}

export const mostProblems = 10_000

/** A snapshot as the ledger keeps it. */
export interface Snapshot extends SnapshotSummary {
  id: string
  projectId: string
  systemId: string
  observedAt: Date
  ingestedAt: Date
  contentHash: string
  isComplete: boolean
  sources: SourceFile[]
  problemCount: number
  processingStrategy: ProcessingStrategy
}

const columns = `id, project_id as "projectId", system_id as "systemId", observed_at as "observedAt", ingested_at as "ingestedAt",
  content_hash as "contentHash", is_complete as "isComplete", sources, counts -> 'nodes' as nodes, counts -> 'edges' as edges, metrics, quality,
  problem_count as "problemCount", processing_strategy as "processingStrategy"`

/** Snapshots by id, in the order of the ids; null where there is none. */
export async function readSnapshotsById(sql: Sql, ids: readonly string[]): Promise<(Snapshot | null)[]> {
  const { rows } = await sql.query<Snapshot>(`select ${columns} from snapshot where id = any($1)`, [ids])
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

export interface SnapshotFilter {
  projectId?: string
  systemId?: string
  /** observed in [from, to) */
  from?: Date
  to?: Date
}

export interface Paging {
  limit?: number
  offset?: number
}

const matching = `($1::text is null or project_id = $1) and ($2::text is null or system_id = $2)
  and ($3::timestamptz is null or observed_at >= $3) and ($4::timestamptz is null or observed_at < $4)`
const filterValues = ({ projectId, systemId, from, to }: SnapshotFilter) => [projectId ?? null, systemId ?? null, from ?? null, to ?? null]

/** Snapshots, the latest observed first; all of them without a limit. */
export async function readSnapshots(sql: Sql, filter: SnapshotFilter = {}, { limit, offset = 0 }: Paging = {}): Promise<Snapshot[]> {
  const { rows } = await sql.query<Snapshot>(
    `select ${columns} from snapshot where ${matching} order by position desc, id limit $5 offset $6`,
    [...filterValues(filter), limit ?? null, offset],
  )
  return rows
}

export async function countSnapshots(sql: Sql, filter: SnapshotFilter = {}): Promise<number> {
  const { rows } = await sql.query<{ total: number }>(`select count(*) as total from snapshot where ${matching}`, filterValues(filter))
  return rows[0]!.total
}

/** What was wrong with the input of a snapshot, in order. */
export async function readProblems(sql: Sql, snapshotId: string, { limit = 1_000, offset = 0 } = {}): Promise<Problem[]> {
  const { rows } = await sql.query<Problem & { suggestion: string | null }>(
    `select severity, code, place as where, found, expected, suggestion from snapshot_problem
     where snapshot_id = $1 order by ordinal limit $2 offset $3`,
    [snapshotId, limit, offset],
  )
  return rows.map(({ suggestion, ...rest }) => (suggestion === null ? rest : { ...rest, suggestion }))
}
