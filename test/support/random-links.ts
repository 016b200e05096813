import type { Estate } from '../../src/datasets/links/estate.js'
import { type Rng, seeded } from '../../src/util/random.js'
import { EstateBuilder } from './small-estate.js'

const letters = 'abcdefghijklmnopqrstuvwxyz'
const nameFrom = (rng: Rng) => Array.from({ length: 4 + rng.integer(5) }, () => letters[rng.integer(26)]!).join('')
const types = ['int', 'string', 'date', 'decimal(10,2)']
const pick = <T>(items: readonly T[], rng: Rng): T => items[rng.integer(items.length)]!

/** Each node and edge once, as a ledger has them. */
const once = ({ nodes, edges }: Estate): Estate => ({
  nodes: [...new Map(nodes.map((n) => [n.id, n])).values()],
  edges: [...new Map(edges.map((e) => [JSON.stringify([e.sourceId, e.label, e.targetId, e.discriminator]), e])).values()],
})

interface Table {
  name: string
  columns: string[]
}

function randomTables(b: EstateBuilder, database: string, count: number, rng: Rng): Table[] {
  return Array.from({ length: count }, () => {
    const [name, columns] = [nameFrom(rng), Array.from({ length: 4 }, () => nameFrom(rng))]
    b.table(database, name, Object.fromEntries(columns.map((c) => [c, pick(types, rng) + (rng.integer(4) === 0 ? '*' : '')])))
    return { name: `${database}.${name}`, columns: columns.map((c) => `${database}.${name}.${c}`) }
  })
}

/**
 * Databases whose keys point to any column at all, whatever its name, type and place: nothing says where but the keys themselves.
 * `giveaway`: targets are primary keys instead, so that there is something to find.
 */
export function randomKeys(databases: number, seed: number, giveaway = false): Estate {
  const rng = seeded(seed)
  const b = new EstateBuilder()
  for (let d = 0; d < databases; d++) {
    const database = `db${d}`
    b.database(database)
    const columns = randomTables(b, database, 4, rng).flatMap((t) => t.columns)
    const chosen = giveaway ? columns.filter((c) => b.isKey(c)) : columns
    if (chosen.length === 0) continue
    for (const from of rng.sample(columns, 6)) {
      const to = pick(chosen, rng)
      if (from !== to) b.foreignKey(nameFrom(rng), [from, to])
    }
  }
  return once(b.build())
}

/** Columns that flow into any column of any other table, with the statement that says so as a query of its own. */
export function randomFlows(databases: number, seed: number): Estate {
  const rng = seeded(seed)
  const b = new EstateBuilder()
  const tableOf = (column: string) => b.tableId(column.slice(0, column.lastIndexOf('.')))
  for (let d = 0; d < databases; d++) {
    const database = `db${d}`
    b.database(database)
    const columns = randomTables(b, database, 6, rng).flatMap((t) => t.columns)
    const pairs = rng.sample(columns, 6).map((from) => [from, pick(columns, rng)] as const)
    for (const [i, [from, to]] of pairs.entries()) {
      if (from === to) continue
      const query = b.node('SqlQuery', `${database}-${i}`, 'query')
      b.edge(b.columnId(from), 'DATA_FLOW', b.columnId(to), { transformation: 'copy' })
      b.edge(tableOf(from), 'DATA_FLOW', tableOf(to), {}, `${i}`)
      b.edge(query, 'READS', tableOf(from))
      b.edge(query, 'WRITES', tableOf(to))
    }
  }
  return once(b.build())
}

/** Folders of jobs that wait for any other job, over a condition that each sets, with the Petri net that says the same. */
export function randomJobs(folders: number, seed: number): Estate {
  const rng = seeded(seed)
  const b = new EstateBuilder()
  for (let f = 0; f < folders; f++) {
    const folder = b.node('ControlMFolder', `folder${f}`, `folder${f}`)
    const jobs = Array.from({ length: 12 }, () => {
      const name = nameFrom(rng)
      const job = b.node('ControlMJob', `folder${f}/${name}`, name, { description: nameFrom(rng) })
      b.edge(folder, 'CONTAINS', job)
      const table = b.node('Table', `t.${f}.${name}`, nameFrom(rng))
      b.edge(job, rng.integer(2) === 0 ? 'READS' : 'WRITES', table)
      return job
    })
    for (const job of rng.sample(jobs, 7)) {
      const target = pick(
        jobs.filter((j) => j !== job),
        rng,
      )
      const condition = b.node('ControlMCondition', `${target}-done`, nameFrom(rng))
      b.edge(target, 'RELEASES', condition)
      b.edge(condition, 'BLOCKS', job)
      b.edge(job, 'DEPENDS_ON', target, { conditions: [condition] })
      const place = b.node('PetriPlace', `${condition}-place`, 'place')
      const [before, after] = [target, job].map((j) => b.node('PetriTransition', `${j}-transition`, 'transition'))
      b.edge(before!, 'PETRI_ARC', place)
      b.edge(place, 'PETRI_ARC', after!)
    }
  }
  return once(b.build())
}
