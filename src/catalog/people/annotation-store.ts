import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { appendNodes } from '../projection/graph-store.js'
import { indexSaid } from '../search/search-index-store.js'
import {
  type AnnotationEdit,
  type AnnotationField,
  type AnnotationStep,
  type Annotations,
  noAnnotations,
  planEdit,
  type Speaker,
} from './annotation.js'
import { assertTerms } from './glossary-store.js'
import { lockWords, readAnnotations } from './people-store.js'

const lockClass = 7_302_003
const mostEdits = 1_000

type Items = Map<string, Partial<Record<AnnotationField, string[]>>>

/**
 * Writes what people say of nodes, in the caller's transaction: its history, and the nodes in the graph. Answers what changed, one step
 * for each field of each node; saying again what is there changes nothing. All or nothing: a node that does not exist, or a term that
 * the project's glossary lacks, refuses the whole.
 */
export async function saveAnnotations(client: Sql, edits: readonly AnnotationEdit[], speaker: Speaker): Promise<AnnotationStep[]> {
  if (edits.length > mostEdits)
    throw new EspalierError('BAD_INPUT', `annotations: found ${edits.length} edits, expected up to ${mostEdits}`, {
      remedy: 'Send them in several requests.',
    })
  const ids = [...new Set(edits.map(({ nodeId }) => nodeId))].sort()
  await lockWords(client, [...new Set(ids.map((id) => id.split('/')[0]!))].sort(), 'together')
  // sorted, so that two batches cannot wait for each other
  await client.query('select pg_advisory_xact_lock($1, hashtext(id)) from (select unnest($2::text[]) as id) ids', [lockClass, ids])
  await assertNodes(client, ids)
  const steps = planEdits(edits, await readItems(client, ids))
  await assertTerms(client, steps)
  await saveSteps(client, steps, speaker)
  const changed = [...new Set(steps.map(({ nodeId }) => nodeId))]
  await indexSaid(client, changed, await readAnnotations(client, changed))
  await appendNodes(client, changed)
  return steps
}

/** All edits in order; several of one field become one step. */
function planEdits(edits: readonly AnnotationEdit[], items: Items): AnnotationStep[] {
  const steps = new Map<string, AnnotationStep>()
  for (const edit of edits) {
    const now = items.get(edit.nodeId) ?? {}
    items.set(edit.nodeId, now)
    for (const step of planEdit(edit, now)) {
      now[step.field] = step.after
      const name = `${step.field} ${step.nodeId}`
      steps.set(name, { ...step, before: steps.get(name)?.before ?? step.before })
    }
  }
  return [...steps.values()].filter(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after))
}

/** Refuses nodes that are not in the catalog now; one that went, and of which something is said, can still be spoken of. */
async function assertNodes(sql: Sql, ids: readonly string[]): Promise<void> {
  const { rows } = await sql.query<{ id: string }>(
    `select id from unnest($1::text[]) as asked(id)
     where not exists (select from node_key k join node_history h on h.node = k.key and h.valid_to = 'infinity' where k.id = asked.id)
       and not exists (select from annotation a where a.node_id = asked.id)
     order by id`,
    [ids],
  )
  if (rows.length === 0) return
  const others = rows.length > 1 ? ` (and ${rows.length - 1} more)` : ''
  throw new EspalierError('NOT_FOUND', `there is no node "${rows[0]!.id.slice(0, 200)}"${others} in the catalog now`, {
    remedy: 'Ids look like bank/hive/table:core.account; the query `search` finds them.',
  })
}

async function readItems(sql: Sql, ids: readonly string[]): Promise<Items> {
  const { rows } = await sql.query<{ id: string; field: AnnotationField; items: string[] }>(
    `select node_id as id, field, items from annotation where node_id = any($1) and valid_to = 'infinity'`,
    [ids],
  )
  const found: Items = new Map()
  for (const { id, field, items } of rows) found.set(id, { ...found.get(id), [field]: items })
  return found
}

/** A step always begins after the one before it, however little time lies between. */
async function saveSteps(client: Sql, steps: readonly AnnotationStep[], { actor, now }: Speaker): Promise<void> {
  if (steps.length === 0) return
  await client.query(
    `with step as (
       select t.node_id, t.field, array(select jsonb_array_elements_text(t.items::jsonb)) as items,
         greatest($4::timestamptz(3), c.valid_from + interval '1 millisecond') as at
       from unnest($1::text[], $2::text[], $3::text[]) as t(node_id, field, items)
       left join annotation c on c.node_id = t.node_id and c.field = t.field and c.valid_to = 'infinity'
     ), closed as (
       update annotation a set valid_to = s.at from step s where a.node_id = s.node_id and a.field = s.field and a.valid_to = 'infinity'
     )
     insert into annotation (node_id, field, valid_from, items, actor) select node_id, field, at, items, $5 from step`,
    [steps.map((s) => s.nodeId), steps.map((s) => s.field), steps.map((s) => JSON.stringify(s.after)), now, actor],
  )
}

/** A change of what people say of a node. */
export interface AnnotationChange {
  nodeId: string
  field: AnnotationField
  at: Date
  actor: string
  before: string[]
  after: string[]
}

/** All that was ever said of nodes, by the ids of the nodes (for a DataLoader), in order of time. */
export async function readAnnotationHistories(sql: Sql, ids: readonly string[]): Promise<AnnotationChange[][]> {
  const { rows } = await sql.query<AnnotationChange>(
    `select node_id as "nodeId", field, valid_from as at, actor,
       coalesce(lag(items) over (partition by node_id, field order by valid_from), '{}') as before, items as after
     from annotation where node_id = any($1) order by valid_from, field`,
    [ids],
  )
  const byNode = new Map<string, AnnotationChange[]>(ids.map((id) => [id, []]))
  for (const row of rows) byNode.get(row.nodeId)!.push(row)
  return ids.map((id) => byNode.get(id)!)
}

/** What people say of one node now, or as they said at a moment. */
export const readAnnotationsOf = async (sql: Sql, id: string, moment: { asOf?: Date } = {}): Promise<Annotations> =>
  (await readAnnotations(sql, [id], moment)).get(id) ?? noAnnotations
