import fs from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { ParsedSource, SourceContext } from '../../../../../src/catalog/fact.js'
import { parseSource } from '../../../../../src/catalog/sources/index.js'
import type { Problem } from '../../../../../src/util/problem.js'
import { describeIf, sharedData } from '../../../../support/need.js'

type Pairs = [right: number, wrong: number, missed: number]
interface Row {
  query: string
  columns: number
  named: number
  transformed: number
  direct: Pairs
  indirect: Pairs
}
interface Measured {
  truth: Map<string, { name: string; direct: string[]; indirect: string[] }[]>
  queries: Map<string, string>
  problems: Problem[]
  rows: Row[]
  differences: string[]
}
/** What the bench exports: the comparison is the same, the parser under test is ours from `src`. */
interface Bench {
  truthFile: string
  readTruth(text: string): Measured['truth']
  measure(parse: (text: string, context: SourceContext) => Promise<ParsedSource>): Promise<Measured>
  total(rows: Row[]): Row
  score(truth: Measured['truth'], answers: Map<string, unknown[]>): { rows: Row[]; differences: string[] }
}
const bench = (await import(path.resolve(import.meta.dirname, '../../../../../scripts/bench/column-lineage.mjs'))) as Bench
const truth = bench.readTruth(fs.readFileSync(bench.truthFile, 'utf8'))

it('the truth names columns of TPC-DS only, each with its table', () => {
  const sources = [...truth.values()].flat().flatMap((c) => [...c.direct, ...c.indirect])
  const prefixes: Record<string, string> = {
    call_center: 'cc_',
    catalog_returns: 'cr_',
    catalog_sales: 'cs_',
    customer: 'c_',
    customer_address: 'ca_',
    customer_demographics: 'cd_',
    date_dim: 'd_',
    inventory: 'inv_',
    item: 'i_',
    promotion: 'p_',
    ship_mode: 'sm_',
    store: 's_',
    store_returns: 'sr_',
    store_sales: 'ss_',
    warehouse: 'w_',
    web_returns: 'wr_',
    web_sales: 'ws_',
  }
  const strange = sources.filter((s) => !s.split('.')[1]?.startsWith(prefixes[s.split('.')[0]!] ?? '-'))
  expect(strange).toEqual([])
  expect(sources.length).toBeGreaterThan(400)
})

it('the comparison tells an answer that is wrong, missing, too much, of another name or another kind', () => {
  const [column] = bench.readTruth('q1\nx : aggregate <- item.i_size | item.i_class').get('q1')!
  const answer = {
    name: 'x',
    transformation: 'aggregate',
    transformations: new Set(['aggregate']),
    direct: ['item.i_size'],
    indirect: ['item.i_class'],
  }
  const given = (change: object) => bench.score(new Map([['q1', [column!]]]), new Map([['q1', [{ ...answer, ...change }]]]))
  expect(given({}).differences).toEqual([])
  expect(given({ direct: [] }).rows[0]!.direct).toEqual([0, 0, 1])
  expect(given({ direct: ['item.i_size', 'item.i_color'] }).rows[0]!.direct).toEqual([1, 1, 0])
  expect(given({ indirect: ['item.i_color'] }).rows[0]!.indirect).toEqual([0, 1, 1])
  expect(given({ name: 'y' }).rows[0]).toMatchObject({ columns: 1, named: 0, transformed: 1 })
  expect(given({ transformation: 'copy' }).rows[0]).toMatchObject({ named: 1, transformed: 0 })
  expect(given({ transformations: new Set(['copy']) }).rows[0]).toMatchObject({ named: 1, transformed: 0 })
  expect(bench.score(new Map([['q1', [column!]]]), new Map()).rows[0]).toMatchObject({ named: 0, direct: [0, 0, 1], indirect: [0, 0, 1] })
})

describeIf(sharedData, 'no shared data beside the checkout', 'the column lineage of TPC-DS', () => {
  let measured: Measured
  beforeAll(async () => {
    measured = await bench.measure((text, context) => parseSource('hive-ddl', text, context))
  })

  it('has a truth for every statement', () => {
    expect(measured.queries.size).toBe(35)
    expect([...measured.truth.keys()]).toEqual([...measured.queries.keys()])
  })

  it('raises no problem, and leaves no column open', () => {
    expect(measured.problems.filter((p) => p.severity !== 'info')).toEqual([])
  })

  // n is asserted too: a truth that loses lines would reach 1.0 as well
  it('is right in all 366 values and 73 columns that steer: precision 1, recall 1', () => {
    expect(measured.differences).toEqual([])
    const { direct, indirect } = bench.total(measured.rows)
    expect(direct).toEqual([366, 0, 0])
    expect(indirect).toEqual([73, 0, 0])
  })

  it('names all 227 columns, and tells how each comes about', () => {
    expect(bench.total(measured.rows)).toMatchObject({ columns: 227, named: 227, transformed: 227 })
  })

  it('is read from the bare queries without a problem too', async () => {
    for (const [query, text] of measured.queries) {
      const { facts, problems } = await parseSource('hive-ddl', text, { projectId: 'p', systemId: 's', file: `${query}.sql` })
      expect(problems).toEqual([])
      expect(facts.filter((f) => f.fact === 'node' && f.kind === 'SqlQuery')).toHaveLength(1)
    }
  })
})
