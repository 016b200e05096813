import type { Client } from '../../postgres/sql.js'
import type { Problem } from '../../util/problem.js'
import { haveDigest } from '../facts-digest.js'
import type { Tally } from './ledger-store.js'
import { mostProblems, type NewSnapshot, openStream, readProblems } from './snapshot-store.js'
import type { FactStream } from './staging-store.js'

/** A snapshot that says what its predecessor said, of a project where nothing has changed since. */
export interface Repeated {
  id: string
  contentHash: string
  factsDigest: string
  /** what was found wrong beyond what parsing found */
  problems: Problem[]
  counts: { nodes: Tally; edges: Tally }
  hasOpenEnds: false
}

interface Predecessor {
  id: string
  contentHash: string
  factsDigest: string
  inputProblems: number
  problemCount: number
  counts: { nodes: Tally; edges: Tally }
}

/**
 * The predecessor in the stream that these very facts were read into, where repeating it can change nothing: the snapshot comes last in
 * its project, and no history there has turned since the predecessor's time. Then its facts need not be staged and compared.
 */
export async function findRepeated(
  client: Client,
  { scope, observedAt, isComplete, sources }: Pick<NewSnapshot, 'scope' | 'observedAt' | 'isComplete' | 'sources'>,
  facts: FactStream,
): Promise<Repeated | null> {
  const stream = await openStream(client, scope, isComplete, sources)
  const { rows } = await client.query<Predecessor>(
    `select id, content_hash as "contentHash", facts_digest as "factsDigest", input_problem_count as "inputProblems",
       problem_count as "problemCount", counts
     from snapshot p where stream = $1 and facts_digest <> '' and problem_count <= ${mostProblems}
       and not exists (select from snapshot s where s.stream = p.stream and s.position > p.position)
       and not exists (select from snapshot s where s.project_id = p.project_id and s.observed_at >= $2)
       and not exists (select from snapshot s where s.project_id = p.project_id and s.observed_at = p.observed_at and s.position > p.position)
       and not exists (${turnsSince('node')}) and not exists (${turnsSince('edge')})`,
    [stream, observedAt],
  )
  const found = rows[0]
  if (!found || !(await haveDigest(typeof facts === 'function' ? facts() : facts, found.factsDigest))) return null
  const { id, contentHash, factsDigest, counts, inputProblems } = found
  const problems = await readProblems(client, id, { offset: inputProblems, limit: mostProblems })
  return { id, contentHash, factsDigest, problems, counts: { nodes: idle(counts.nodes), edges: idle(counts.edges) }, hasOpenEnds: false }
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
