import { expect } from 'vitest'
import type { EdgeFact, NodeFact, ParsedSource } from '../../../../../src/catalog/fact.js'
import { errorsOf, parseHive } from '../support.js'

export const tables = `
  create table account (id bigint, customer_id bigint, balance decimal(10,2), opened date, address struct<street:string,geo:struct<lat:double>>,
    tags array<string>, limits map<string,int>, owners array<struct<name:string,share:double>>);
  create table customer (customer_id bigint, name string, segment string);
  create table movement (account_id bigint, amount decimal(10,2), booked date, kind string);`

const isFlow = (f: ParsedSource['facts'][number]): f is EdgeFact => f.fact === 'edge' && f.label === 'DATA_FLOW'

/** `account.id`; an open end as `region?one|two`. */
function sourceOf(flow: EdgeFact): string {
  if (flow.sourceId !== '') return flow.sourceId.replace(/^.*:default\./, '')
  const { column, candidates } = flow.properties['unresolved'] as { column?: string; candidates: string[] }
  return `${column ?? '*'}?${candidates.map((c) => c.split('.').at(-1)).join('|')}`
}

/** The columns of a view in order, each as the truth spells them: `name : how <- values | what only steers`. */
export function linesOf(parsed: ParsedSource, view = 'v'): string[] {
  const prefix = `bank/dwh/column:default.${view}.`
  const columns = parsed.facts.filter((f): f is NodeFact => f.fact === 'node' && f.kind === 'Column' && f.id.startsWith(prefix))
  return columns.map((column) => {
    const flows = parsed.facts.filter(isFlow).filter((f) => f.targetId === column.id)
    const list = (indirect: boolean) => flows.filter((f) => (f.properties['indirect'] === true) === indirect).map(sourceOf)
    for (const flow of flows) expect(flow.properties['transformation']).toBe(column.properties['transformation'])
    const [direct, indirect] = [list(false).sort().join(', '), list(true).sort().join(', ')]
    return `${column.name} : ${column.properties['transformation']}${direct && ` <- ${direct}`}${indirect && ` | ${indirect}`}`
  })
}

export interface ReadOptions {
  before?: string
  /** problems are expected: they are not refused */
  lax?: boolean
}

/** Reads `create view v as <select>` beside the tables, without a problem, and gives the view's lines. */
export async function lines(select: string, { before = tables, lax = false }: ReadOptions = {}): Promise<string[]> {
  const parsed = await parseHive(`${before}; create view v as ${select}`)
  if (lax) expect(errorsOf(parsed)).toEqual([])
  else expect(parsed.problems).toEqual([])
  return linesOf(parsed)
}
