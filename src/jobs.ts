import type { z } from 'zod'
import { readProjectsWithEdges } from './catalog/deletion/project-store.js'
import { ingestOptions } from './catalog/ingest-options.js'
import { readDatasetVersion } from './datasets/store.js'
import { learnPatternsOptions } from './patterns/learn-options.js'
import type { Database, Sql } from './postgres/sql.js'
import { createRun } from './runs/store.js'
import { evaluateOptions, trainGgnnOptions } from './training/ranking-job.js'
import { didYouMean } from './util/closest.js'
import { EspalierError } from './util/error.js'
import { canonicalJson } from './util/hash.js'
import { type Problem, problem } from './util/problem.js'
import type { EdgeLabel, Properties, Run, RunKind } from './vocabulary.js'

interface Job<Schema extends z.ZodType> {
  options: Schema
  /** Decides what was left open (which projects, as of when) before the run is queued, so that its options tell all that it does. */
  settle(sql: Sql, options: z.output<Schema>, now: Date): Promise<z.output<Schema>>
}

const job = <Schema extends z.ZodType>(options: Schema, settle: Job<Schema>['settle'] = async (_, given) => given): Job<Schema> => ({
  options,
  settle,
})

async function projectsWith(sql: Sql, label: EdgeLabel | null, remedy: string): Promise<string[]> {
  const projectIds = await readProjectsWithEdges(sql, label)
  if (projectIds.length > 0) return projectIds
  throw new EspalierError('BAD_INPUT', `found no project with ${label ?? 'any'} edges, expected at least one`, { remedy })
}

async function settleRanking<
  T extends { projectIds?: string[] | undefined; asOf?: string | undefined; datasetVersionId?: string | undefined },
>(sql: Sql, options: T, now: Date): Promise<T> {
  if (options.datasetVersionId) {
    const version = await readDatasetVersion(sql, options.datasetVersionId)
    return { ...options, projectIds: [version.projectId] }
  }
  const remedy = 'Ingest DDL that declares foreign keys (ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY) first.'
  return {
    ...options,
    projectIds: options.projectIds ?? (await projectsWith(sql, 'REFERENCES', remedy)),
    asOf: options.asOf ?? now.toISOString(),
  }
}

/** Kind of run -> its options, and how they are settled. The worker has what does the work. */
export const jobs = {
  ingest: job(ingestOptions),
  'learn-patterns': job(learnPatternsOptions, async (sql, options) => ({
    projectIds: options.projectIds ?? (await projectsWith(sql, null, 'Ingest an estate first.')),
  })),
  'train-ggnn': job(trainGgnnOptions, settleRanking),
  evaluate: job(evaluateOptions, settleRanking),
} satisfies { [Kind in RunKind]: Job<z.ZodType> }

/** The member names that a schema knows at `path`, for "did you mean". */
function membersAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let inner: unknown = schema
  for (const key of [...path, null]) {
    while (inner && typeof inner === 'object' && 'unwrap' in inner) inner = (inner as { unwrap(): unknown }).unwrap()
    const shape = (inner as { shape?: Record<string, unknown> } | undefined)?.shape
    if (key === null || !shape) return shape ? Object.keys(shape) : []
    inner = shape[String(key)]
  }
  return []
}

function problemsOf(kind: RunKind, schema: z.ZodType, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const where = [kind, ...issue.path.map(String)].join('.')
    if (issue.code !== 'unrecognized_keys')
      return [problem({ code: 'bad-option', where, found: JSON.stringify(issue.input) ?? 'nothing', expected: issue.message })]
    const legal = membersAt(schema, issue.path)
    return issue.keys.map((key) => {
      const suggestion = didYouMean(key, legal)
      return problem({
        code: 'unknown-option',
        where,
        found: key,
        expected: `one of ${legal.join(', ')}`,
        ...(suggestion ? { suggestion } : {}),
      })
    })
  })
}

/** The options of a run with every default filled in; BAD_INPUT lists each problem. */
export function parseJobOptions<Kind extends RunKind>(kind: Kind, given: unknown): z.output<(typeof jobs)[Kind]['options']> {
  const schema: z.ZodType = jobs[kind].options
  const parsed = schema.safeParse(given, { reportInput: true })
  if (parsed.success) return parsed.data as z.output<(typeof jobs)[Kind]['options']>
  const problems = problemsOf(kind, schema, parsed.error)
  throw new EspalierError(
    'BAD_INPUT',
    `options of ${kind}: ${problems.length} problem(s), the first at ${problems[0]!.where}: found ${problems[0]!.found}, expected ${problems[0]!.expected}`,
    {
      problems,
      remedy: problems[0]!.suggestion ?? 'Correct these options; every one has a default.',
    },
  )
}

export interface StartRequest {
  kind: RunKind
  /** any part of the kind's options */
  options?: unknown
  name?: string
  priority?: number
}

/** Validates and settles the options of a run, and queues it: what it will do is fully told by the options of the answer. */
export async function startRun(database: Database, { kind, options = {}, name, priority }: StartRequest, now: Date): Promise<Run> {
  const { settle } = jobs[kind] as unknown as Job<z.ZodType>
  const settled = await settle(database, parseJobOptions(kind, options), now)
  const { projectIds, projectId } = settled as { projectIds?: string[]; projectId?: string }
  return createRun(database, {
    kind,
    options: JSON.parse(canonicalJson(settled)) as Properties,
    projectId: projectId ?? projectIds?.[0] ?? null,
    ...(name ? { name } : {}),
    ...(priority === undefined ? {} : { priority }),
  })
}
