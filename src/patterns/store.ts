import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import type { ColumnTypeLearning, TypeEvolution } from './column-types.js'
import type { Patterns } from './learn.js'

/** A stored result of learning: immutable, numbered from 1 in its project. */
export interface PatternSet {
  /** `<project>@<version>` */
  id: string
  projectId: string
  version: number
  learnedAt: Date
  runId: string | null
  /** what it was learned from, in order of observation */
  snapshotIds: string[]
  /** from when on changes were learned; null: all of them */
  since: Date | null
  /** what of the learners it holds: 1 columns and relationships, 2 all */
  format: number
  patterns: StoredPatterns
}

/** Sets of format 1 lack what was not yet learned when they were made. */
export type StoredPatterns = Pick<Patterns, 'columnPatterns' | 'relationshipPatterns' | 'summary'> & Partial<Patterns>
/** The counts that predictions are made from; those of format 1 hold every column. */
export type StoredLearning = ColumnTypeLearning | TypeEvolution

const currentFormat = 2

const columns = `id, project_id as "projectId", version, learned_at as "learnedAt", run_id as "runId", snapshot_ids as "snapshotIds",
  since, format, patterns`

/** Saves a pattern set as the next version of its project. Two writers at once get two numbers. */
export async function savePatternSet(
  sql: Sql,
  set: Omit<PatternSet, 'id' | 'version' | 'format' | 'patterns'> & { patterns: Patterns; learning: TypeEvolution },
): Promise<PatternSet> {
  const { projectId, learnedAt, runId, snapshotIds, since, patterns, learning } = set
  for (let attempt = 0; ; attempt++) {
    const { rows } = await sql.query<PatternSet>(
      `insert into pattern_set (id, project_id, version, learned_at, run_id, snapshot_ids, patterns, learning, since, format)
       select $1 || '@' || next, $1, next, $2, $3, $4, $5, $6, $7, $8
       from (select coalesce(max(version), 0) + 1 as next from pattern_set where project_id = $1) numbered
       on conflict do nothing returning ${columns}`,
      [projectId, learnedAt, runId, snapshotIds, canonicalJson(patterns), canonicalJson(learning), since, currentFormat],
    )
    if (rows[0]) return rows[0]
    if (attempt >= 20) throw new EspalierError('CONFLICT', `pattern sets of ${projectId}: twenty other writers took the next number`)
  }
}

/** Pattern sets, newest first; of one project or of all. */
export async function readPatternSets(sql: Sql, filter: { projectId?: string; first?: number } = {}): Promise<PatternSet[]> {
  const { rows } = await sql.query<PatternSet>(
    `select ${columns} from pattern_set where $1::text is null or project_id = $1 order by learned_at desc, project_id, version desc limit $2`,
    [filter.projectId ?? null, filter.first ?? 50],
  )
  return rows
}

/** What a run has learned of a project already: an attempt that comes after does not learn it again. */
export async function readSetOfRun(sql: Sql, runId: string, projectId: string): Promise<PatternSet | null> {
  const { rows } = await sql.query<PatternSet>(
    `select ${columns} from pattern_set where run_id = $1 and project_id = $2 order by version limit 1`,
    [runId, projectId],
  )
  return rows[0] ?? null
}

/** `<project>@<version>`, as ids of pattern sets are; BAD_INPUT otherwise. */
export function parseSetId(id: string): { projectId: string; version: number } {
  const parts = /^(.+)@([1-9][0-9]{0,8})$/.exec(id)
  if (parts) return { projectId: parts[1]!, version: Number(parts[2]) }
  throw new EspalierError('BAD_INPUT', `pattern set "${id.slice(0, 80)}": expected the id of one, such as shop@2`, {
    remedy: 'patternSets, or `espalier patterns list`, tells which there are.',
  })
}

/** A pattern set with the counts that predictions are made from; the newest version unless one is named. NOT_FOUND says what to do. */
export async function readLearning(sql: Sql, projectId: string, version?: number): Promise<PatternSet & { learning: StoredLearning }> {
  const { rows } = await sql.query<PatternSet & { learning: StoredLearning }>(
    `select ${columns}, learning from pattern_set where project_id = $1 and ($2::int is null or version = $2) order by version desc limit 1`,
    [projectId, version ?? null],
  )
  if (rows[0]) return rows[0]
  throw new EspalierError('NOT_FOUND', `project "${projectId}" has no pattern set${version === undefined ? '' : ` ${version}`}`, {
    remedy: 'Learn first: startRun(kind: learn-patterns), or `espalier learn`.',
  })
}

/** How many pattern sets a project has, or how many of them were learned from a snapshot. */
export async function countPatternSets(sql: Sql, projectId: string, snapshotId?: string): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(
    'select count(*) as n from pattern_set where project_id = $1 and ($2::text is null or $2 = any(snapshot_ids))',
    [projectId, snapshotId ?? null],
  )
  return rows[0]!.n
}

/** Forgets all that was learned from a project. */
export async function removePatternSets(sql: Sql, projectId: string): Promise<void> {
  await sql.query('delete from pattern_set where project_id = $1', [projectId])
}
