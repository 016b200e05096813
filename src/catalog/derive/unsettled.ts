import type { Sql } from '../../postgres/sql.js'
import type { Problem } from '../../util/problem.js'
import { type DerivePlace } from './apply-store.js'
import { evaluateAt } from './evaluate.js'
import { readOpens, readTimeline } from './open-store.js'
import { holdsAt } from './timeline.js'

/** At most so many open ends of one ingest are looked at for what is missing. */
const mostLookedAt = 10_000

/** What open ends of the facts that come in (`incoming_edge`) find nothing, or too much, at the moment of the ingest. */
export async function readUnsettled(sql: Sql, { projectId, observedAt }: DerivePlace): Promise<Problem[]> {
  const { rows } = await sql.query<{ edge: number }>(
    `select distinct o.edge from incoming_edge i join open_end o on o.edge = i.key
     where o.need like 'r:%' or not exists (
       select from derivation d where d.origin = i.key and d.valid_from <= $1 and d.valid_to > $1) order by 1 limit ${mostLookedAt}`,
    [observedAt],
  )
  if (rows.length === 0) return []
  const opens = await readOpens(
    sql,
    rows.map((row) => row.edge),
  )
  const timeline = await readTimeline(
    sql,
    projectId,
    opens.map(({ edge }) => edge),
    new Set(),
  )
  const at = observedAt.getTime()
  const problems = opens.flatMap(({ pieces, systemId }) =>
    pieces
      .filter((piece) => holdsAt(piece, at))
      .flatMap(({ value }) => evaluateAt(value.edge, { projectId, systemId }, timeline, at).problems),
  )
  return [...new Map(problems.map((each) => [`${each.code} ${each.where} ${each.found}`, each])).values()]
}
