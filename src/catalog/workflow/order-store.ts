import type { Sql } from '../../postgres/sql.js'
import type { Problem } from '../../util/problem.js'
import type { Provenance } from '../fact.js'
import { readEstate } from '../reads/read-store.js'
import { orderProblems } from './order-problems.js'
import { type Step, stepKinds, stepLabels, workflowOf } from './workflow.js'
import { type Order, planOrder } from './workflow-order.js'

/** What of an order concerns these steps. */
function about<S extends Step>(order: Order<S>, ids: ReadonlySet<string>): Order<S> {
  const isMeant = (step: S) => ids.has(step.id)
  const dangling = [...order.dangling].map(([condition, steps]) => [condition, steps.filter(isMeant)] as const)
  return {
    ...order,
    dangling: new Map(dangling.filter(([, steps]) => steps.length > 0)),
    cycles: order.cycles.filter((cycle) => cycle.some(isMeant)),
    stuck: new Map([...order.stuck].filter(([step]) => isMeant(step))),
  }
}

/**
 * What is odd about the order of the jobs that Control-M files of an ingest told of (`incoming_node`), judged by all that is known of their system at the
 * moment: conditions that nothing sets, rings, jobs that nothing releases.
 */
export async function readOrderProblems(
  sql: Sql,
  { projectId, systemId, asOf }: { projectId: string; systemId: string; asOf: Date },
): Promise<Problem[]> {
  const { rows } = await sql.query<{ id: string }>(
    `select k.id from incoming_node i join node_key k on k.key = i.key join source_file f on f.key = i.file
     where i.kind = any($1) and f.dialect like 'control-m%'`,
    [stepKinds],
  )
  if (rows.length === 0) return []
  const { nodes, edges } = await readEstate(sql, { projectId, systemId, asOf, kinds: stepKinds, labels: stepLabels })
  const places = await readPlaces(sql, projectId, asOf)
  const order = about(planOrder(workflowOf(nodes, edges)), new Set(rows.map((row) => row.id)))
  return orderProblems(order, (step) => places.get(step) ?? { dialect: '', file: '', location: '' }, `system ${systemId}`)
}

async function readPlaces(sql: Sql, projectId: string, asOf: Date): Promise<Map<string, Provenance>> {
  const { rows } = await sql.query<Provenance & { id: string }>(
    `select k.id, coalesce(f.dialect, '') as dialect, coalesce(f.file, '') as file, coalesce(h.location, '') as location
     from node_history h join node_key k on k.key = h.node left join source_file f on f.key = h.file
     where h.scope in (select key from catalog_scope where project_id = $1) and h.kind = any($2) and h.valid_from <= $3 and h.valid_to > $3`,
    [projectId, stepKinds, asOf],
  )
  return new Map(rows.map(({ id, ...place }) => [id, place]))
}
