import type { Client } from './sql.js'

/** An index that is gone for the time of a large load. */
export interface Index {
  table: string
  drop: string
  create: string
}

/**
 * Sorting in memory, on all cores, is most of what building an index is. To start the others takes 5 ms, which words (GIN) are worth from the
 * first megabyte on, keys, of which many come sorted, only in larger tables.
 */
const buildSettings = { maintenance_work_mem: '256MB', max_parallel_maintenance_workers: '4' }
const parallelFrom = { gin: '1MB', other: '24MB' }

const set = (name: string, value: string): string => `set local ${name} to ${value}`
const createIndex = ({ create }: Index): string =>
  `${set('min_parallel_table_scan_size', `'${/ USING gin /i.test(create) ? parallelFrom.gin : parallelFrom.other}'`)}; ${create}`

/**
 * Takes the indexes of tables away that are about to be filled with many rows; `buildIndexes` makes them again. An entry of an index that
 * is built over rows takes a fifth of the time of one that is put into its place (measured: 0.2 us against 1.1; a column of the ledger has
 * eighteen). Only where all the tables are empty, and nobody has them open just now; else none is taken. They stay locked to the end of
 * the transaction: who wants to read them waits, for what would otherwise be nothing.
 */
export async function takeIndexes(client: Client, tables: readonly string[]): Promise<Index[]> {
  if (!(await areEmpty(client, tables))) return []
  await client.query('savepoint take_indexes')
  const keep = async (): Promise<Index[]> => {
    await client.query('rollback to savepoint take_indexes')
    return []
  }
  try {
    // without waiting: nobody is held up by somebody whom we would wait for
    await client.query(`lock table ${tables.join(', ')} in access exclusive mode nowait`)
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') return keep()
    throw error
  }
  if (!(await areEmpty(client, tables))) return keep()
  const indexes = await readIndexes(client, tables)
  await client.query(indexes.map(({ drop }) => drop).join(';'))
  await client.query('release savepoint take_indexes')
  return indexes
}

/** Makes the indexes that were taken, and (unless not `analyzed`) looks at the rows: what else this transaction asks of them is planned by it. */
export async function buildIndexes(client: Client, indexes: readonly Index[], { analyzed = true } = {}): Promise<void> {
  if (indexes.length === 0) return
  const settings = Object.entries(buildSettings)
  await client.query(
    [
      ...settings.map(([name, value]) => set(name, `'${value}'`)),
      ...indexes.map(createIndex),
      ...[...settings, ['min_parallel_table_scan_size'] as const].map(([name]) => set(name, 'default')),
    ].join(';'),
  )
  if (analyzed) await client.query(`analyze ${[...new Set(indexes.map(({ table }) => table))].join(', ')}`)
}

async function areEmpty(client: Client, tables: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ empty: boolean }>(
    `select ${tables.map((table) => `not exists (select from ${table})`).join(' and ')} as empty`,
  )
  return rows[0]!.empty
}

/** Indexes of keys go and come as constraints. */
async function readIndexes(client: Client, tables: readonly string[]): Promise<Index[]> {
  const { rows } = await client.query<Index>(
    `select i.indrelid::regclass::text as "table",
       case when c.oid is null then 'drop index ' || i.indexrelid::regclass
         else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end as drop,
       case when c.oid is null then pg_get_indexdef(i.indexrelid)
         else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end as create
     from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.conrelid = i.indrelid and c.contype in ('p', 'u')
     where i.indrelid = any($1::regclass[]) order by 1, c.oid is null, 2`,
    [tables],
  )
  return rows
}
