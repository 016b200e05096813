import type { Client, Sql } from '../../postgres/sql.js'
import type { Problem } from '../../util/problem.js'
import { haveDigest } from '../facts-digest.js'
import type { Scope } from '../resolve/scope.js'
import type { Tally } from './ledger-store.js'
import { findStream, mostProblems, type NewSnapshot, readProblems, streamName } from './snapshot-store.js'
import type { FactStream } from './staging-store.js'

/** A snapshot that says what its predecessor said, of a project where nothing has changed since. */
export interface Repeated {
  id: string
  contentHash: string
  factsDigest: string
  /** what was found wrong; with facts that were read, beyond what parsing found */
  problems: Problem[]
  inputProblems: number
  counts: { nodes: Tally; edges: Tally }
}

interface Predecessor {
  id: string
  contentHash: string
  factsDigest: string
  textDigest: string
  inputProblems: number
  problemCount: number
  counts: { nodes: Tally; edges: Tally }
}

type Coming = Pick<NewSnapshot, 'observedAt' | 'isComplete' | 'sources'> & { textDigest: string }

/**
 * The predecessor in the stream that these very facts were read into, where repeating it can change nothing: the snapshot comes last in
 * its project, and no history there has turned since the predecessor's time. Then its facts need not be staged and compared; where they
 * were read from the same texts, they are not even looked at.
 */
export async function findRepeated(client: Client, coming: Coming & { scope: Scope }, facts: FactStream): Promise<Repeated | null> {
  const { scope, isComplete, sources, textDigest } = coming
  const stream = await findStream(client, scope, isComplete, sources)
  const found = stream === null ? undefined : await readPredecessor(client, stream, coming)
  if (!found) return null
  const isSameText = textDigest !== '' && found.textDigest === textDigest
  // facts of texts are told by these: reading them twice would take as long as comparing them
  if (!isSameText && (textDigest !== '' || !(await haveDigest(typeof facts === 'function' ? facts() : facts, found.factsDigest))))
    return null
  const { id, contentHash, factsDigest, counts, inputProblems } = found
  const problems = await readProblems(client, id, { offset: isSameText ? 0 : inputProblems, limit: mostProblems })
  return { id, contentHash, factsDigest, problems, inputProblems, counts: { nodes: idle(counts.nodes), edges: idle(counts.edges) } }
}

async function readPredecessor(sql: Sql, stream: number, { observedAt }: Pick<Coming, 'observedAt'>): Promise<Predecessor | undefined> {
  const { rows } = await sql.query<Predecessor>(
    `select id, content_hash as "contentHash", facts_digest as "factsDigest", text_digest as "textDigest",
       input_problem_count as "inputProblems", problem_count as "problemCount", counts
     from snapshot p where stream = $1 and facts_digest <> '' and problem_count <= ${mostProblems}
       and not exists (select from snapshot s where s.stream = p.stream and s.position > p.position)
       and not exists (select from snapshot s where s.project_id = p.project_id and s.observed_at >= $2)
       and not exists (select from snapshot s where s.project_id = p.project_id and s.observed_at = p.observed_at and s.position > p.position)
       and not exists (${turnsSince('node')}) and not exists (${turnsSince('edge')})`,
    [stream, observedAt],
  )
  return rows[0]
}

/** The snapshot that these very texts made of this very time already; null where there is none. */
export async function findReplay(
  sql: Sql,
  { projectId, systemId, observedAt, isComplete, textDigest }: Omit<Coming, 'sources'> & { projectId: string; systemId: string },
): Promise<string | null> {
  if (textDigest === '') return null
  const { rows } = await sql.query<{ id: string }>(
    `select id from snapshot where project_id = $1 and system_id = $2 and observed_at = $3 and is_complete = $4 and text_digest = $5
       and problem_count <= ${mostProblems} limit 1`,
    [projectId, systemId, observedAt, isComplete, textDigest],
  )
  return rows[0]?.id ?? null
}

/** Whether texts will most likely repeat the snapshot before them: then they need not be read. Sure is only `findRepeated`. */
export async function isRepetition(sql: Sql, coming: Coming & { projectId: string; systemId: string }): Promise<boolean> {
  const { projectId, systemId, isComplete, sources, textDigest } = coming
  if (textDigest === '') return false
  if ((await findReplay(sql, coming)) !== null) return true
  const { rows } = await sql.query<{ key: number }>(
    `select t.key from stream t join catalog_scope s on s.key = t.scope
     where s.project_id = $1 and s.system_id = $2 and s.derived_of is null and t.name = $3`,
    [projectId, systemId, streamName(isComplete, sources)],
  )
  return rows[0] !== undefined && (await readPredecessor(sql, rows[0].key, coming))?.textDigest === textDigest
}

const turnsSince = (side: 'node' | 'edge') => `
select from ${side}_history h where h.scope in (select key from catalog_scope c where c.project_id = p.project_id)
  and (h.valid_from > p.observed_at or h.valid_to > p.observed_at and h.valid_to < 'infinity')`

/** What a snapshot counts when it comes again and changes nothing. */
export const idle = ({ added, changed, unchanged }: Tally): Tally => ({
  added: 0,
  changed: 0,
  removed: 0,
  unchanged: added + changed + unchanged,
})
