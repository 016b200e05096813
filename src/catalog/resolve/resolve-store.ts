import type { Sql } from '../../postgres/sql.js'
import { columnOrdinal } from '../column.js'
import type { KnownColumn } from './resolve.js'
import { partsOfId, rangesOfRemoval } from './scope.js'

/** What is known to settle open ends by: the staged facts, and the ledger as of the observation. */
export class KnownFacts {
  constructor(
    private readonly client: Sql,
    private readonly projectId: string,
    private readonly observedAt: Date,
  ) {}

  /** The columns of a table or view by its id, incoming ones before the ledger's, in their order. */
  async columnsOf(tableId: string): Promise<KnownColumn[]> {
    const range = rangesOfRemoval(tableId)[1]
    if (!range) return []
    const { rows } = await this.client.query<KnownColumn>(
      `select distinct on (id) * from (
         select s.id, v.name, v.qualified_name as "qualifiedName", v.properties, 0 as rank from stage_node s
         join fact_version v on v.hash = s.version where s.kind = 'Column' and s.id >= $1 and s.id < $2
         union all
         select k.id, v.name, v.qualified_name, v.properties, 1 from node_key k
         join node_history h on h.node = k.key and h.valid_from <= $3 and h.valid_to > $3 join fact_version v on v.hash = h.version
         where k.kind = 'Column' and k.id >= $1 and k.id < $2) c order by id, rank`,
      [range.low, range.high, this.observedAt],
    )
    const ordinal = (column: KnownColumn) => columnOrdinal(column.properties) ?? Number.MAX_SAFE_INTEGER
    return rows.sort((a, b) => ordinal(a) - ordinal(b))
  }

  /** Tables and views of the project by their names. */
  async tables(): Promise<Map<string, string[]>> {
    const { rows } = await this.client.query<{ id: string }>(
      `select s.id from stage_node s where s.kind in ('Table', 'View')
       union
       select k.id from node_history h join node_key k on k.key = h.node join catalog_scope c on c.key = h.scope
       where c.project_id = $1 and h.kind in ('Table', 'View') and h.valid_from <= $2 and h.valid_to > $2`,
      [this.projectId, this.observedAt],
    )
    const byName = new Map<string, string[]>()
    for (const { id } of rows) {
      const qualified = partsOfId(id)!.qualifiedName.toLowerCase()
      for (const name of new Set([qualified, qualified.slice(qualified.lastIndexOf('.') + 1)]))
        byName.set(name, [...(byName.get(name) ?? []), id])
    }
    return byName
  }

  async existing(ids: readonly string[]): Promise<Set<string>> {
    const { rows } = await this.client.query<{ id: string }>(
      `select s.id from stage_node s where s.id = any($1)
       union
       select k.id from node_key k join node_history h on h.node = k.key and h.valid_from <= $2 and h.valid_to > $2 where k.id = any($1)`,
      [ids, this.observedAt],
    )
    return new Set(rows.map((row) => row.id))
  }
}
