import { describe, expect, it } from 'vitest'
import { encodeCandidates } from '../../../src/datasets/links/candidate-graph.js'
import { indexEstate } from '../../../src/datasets/links/estate.js'
import { nodeFeatureNames, nodeFeatureWidth } from '../../../src/datasets/links/features.js'
import { buildLinkLists, noLinks } from '../../../src/datasets/links/lists.js'
import { candidateTargets } from '../../../src/datasets/links/recall.js'
import { candidateEdgeTypes, parseFeatureSpec } from '../../../src/datasets/links/spec.js'
import { hiddenDependencies } from '../../../src/datasets/tasks/dependency.js'
import { parseLinkTask, tasks } from '../../../src/datasets/tasks/index.js'
import { hiddenFlows } from '../../../src/datasets/tasks/lineage.js'
import { type LinkTaskName, linkTaskNames } from '../../../src/datasets/tasks/task.js'
import { seeded } from '../../../src/util/random.js'
import { columnId, EstateBuilder, smallEstate, tableId } from '../../support/small-estate.js'

/** A shop whose orders flow into a view of its own and into two tables of a mart. */
function flowEstate() {
  const b = new EstateBuilder()
  b.database('shop')
  b.table('shop', 'orders', { id: 'int*', total: 'decimal(10,2)', placed_at: 'timestamp', state: 'string' })
  b.table('shop', 'refunds', { order_id: 'int', amount: 'decimal(10,2)' })
  b.table('shop', 'open_orders', { id: 'int', total: 'decimal(10,2)', age: 'int' })
  b.database('mart')
  b.table('mart', 'revenue', { day: 'date', total: 'decimal(10,2)', refunded: 'decimal(10,2)', note: 'string' })
  b.table('mart', 'revenue_by_month', { month: 'date', total: 'decimal(10,2)', comment: 'string' })
  const flow = (from: string, to: string, indirect = false) =>
    b.edge(columnId(from), 'DATA_FLOW', columnId(to), indirect ? { indirect: true } : {}, indirect ? 'indirect' : '')
  flow('shop.orders.id', 'shop.open_orders.id')
  flow('shop.orders.total', 'shop.open_orders.total')
  flow('shop.orders.state', 'shop.open_orders.total', true)
  flow('shop.orders.total', 'mart.revenue.total')
  flow('shop.refunds.amount', 'mart.revenue.refunded')
  flow('mart.revenue.total', 'mart.revenue_by_month.total')
  for (const [from, to] of [
    ['shop.orders', 'shop.open_orders'],
    ['shop.orders', 'mart.revenue'],
    ['shop.refunds', 'mart.revenue'],
    ['mart.revenue', 'mart.revenue_by_month'],
  ] as const)
    b.edge(tableId(from), 'DATA_FLOW', tableId(to))
  return b.build()
}

/** Load, then clean, then report, over conditions; a report of another folder waits for clean too. */
function jobEstate() {
  const b = new EstateBuilder()
  const job = (name: string, folder: string) => {
    const id = b.node('ControlMJob', `${folder}/${name}`, name)
    b.edge(folder, 'CONTAINS', id)
    return id
  }
  const [daily, monthly] = ['daily', 'monthly'].map((name) => b.node('ControlMFolder', name, name)) as [string, string]
  const [load, clean, report, audit] = ['orders_load', 'orders_clean', 'orders_report', 'audit'].map((n) => job(n, daily)) as string[]
  const close = job('month_close', monthly)
  const raw = b.node('Table', 't.raw', 'raw')
  b.edge(load!, 'WRITES', raw)
  b.edge(clean!, 'READS', raw)
  const wait = (target: string, waiting: readonly string[]) => {
    const condition = b.node('ControlMCondition', `${target}-ok`, `${target}-ok`)
    b.edge(target, 'RELEASES', condition)
    for (const id of waiting) {
      b.edge(condition, 'BLOCKS', id)
      b.edge(id, 'DEPENDS_ON', target)
    }
    return condition
  }
  const loaded = wait(load!, [clean!])
  const cleaned = wait(clean!, [report!, close!])
  return { estate: b.build(), load: load!, clean: clean!, report: report!, audit: audit!, close, loaded, cleaned }
}

const gradesOf = (list: { candidates: readonly { id?: string; label?: number }[] }) =>
  new Map(list.candidates.filter((c) => c.label! > 0).map((c) => [c.id!, c.label!]))

describe('lineage', () => {
  const estate = flowEstate()
  const index = indexEstate(estate)
  const { lists } = buildLinkLists(estate, { candidates: 'all', features: { task: 'lineage' } }, seeded(1))
  const listsOf = (column: string) => lists.filter((l) => l.queryId === columnId(column))

  it('asks per source and database of its targets, with candidates of that database alone', () => {
    const [mart, shop] = listsOf('shop.orders.total').sort((a, b) => (a.group! < b.group! ? -1 : 1))
    expect([mart!.group, shop!.group]).toEqual(['demo/hive/database:mart', 'demo/hive/database:shop'])
    expect(mart!.candidates).toHaveLength(7)
    expect(shop!.candidates.map((c) => c.id).sort()).toEqual(
      index.membersOf(shop!.group!, 'database', ['Column']).flatMap(({ id }) => (id === shop!.queryId ? [] : [id])),
    )
    expect(buildLinkLists(estate, { candidates: 'all', features: { task: 'lineage', group: 'project' } }, seeded(1)).lists).toHaveLength(5)
  })

  it('grades: what becomes a value 1, what steers it a half, two steps away half of that', () => {
    const mart = listsOf('shop.orders.total').find((l) => l.group!.endsWith('mart'))!
    expect(gradesOf(mart)).toEqual(
      new Map([
        [columnId('mart.revenue.total'), 1],
        [columnId('mart.revenue_by_month.total'), 0.5],
      ]),
    )
    expect(gradesOf(listsOf('shop.orders.state')[0]!)).toEqual(new Map([[columnId('shop.open_orders.total'), 0.5]]))
  })

  it('hides the whole statement: all flows between the two tables, their own edge too, and no others', () => {
    const hidden = [...hiddenFlows(index, columnId('shop.orders.id'))].map((e) => [e.sourceId, e.targetId])
    expect(hidden).toContainEqual([columnId('shop.orders.total'), columnId('shop.open_orders.total')])
    expect(hidden).toContainEqual([tableId('shop.orders'), tableId('shop.open_orders')])
    expect(hidden).not.toContainEqual([tableId('shop.orders'), tableId('mart.revenue')])
    expect(hidden).toHaveLength(4)
  })

  it('asks between tables as well', () => {
    const tables = buildLinkLists(estate, { candidates: 'all', features: { task: 'lineage', level: 'table', group: 'project' } }, seeded(1))
    const orders = tables.lists.find((l) => l.queryId === tableId('shop.orders'))!
    expect(gradesOf(orders)).toEqual(
      new Map([
        [tableId('shop.open_orders'), 1],
        [tableId('mart.revenue'), 1],
        [tableId('mart.revenue_by_month'), 0.5],
      ]),
    )
  })
})

describe('dependency', () => {
  const { estate, load, clean, report, close, loaded, cleaned, audit } = jobEstate()
  const index = indexEstate(estate)

  it('asks which job of a folder a job waits for; a wait for another folder is a list of that folder', () => {
    const { lists } = buildLinkLists(estate, { candidates: 'all', features: { task: 'dependency' } }, seeded(1))
    expect(lists.map((l) => [l.queryId, l.group]).sort()).toEqual(
      [clean, report, close].map((id) => [id, 'demo/hive/controlm-folder:daily']).sort(),
    )
    const asked = lists.find((l) => l.queryId === report)!
    expect(gradesOf(asked)).toEqual(
      new Map([
        [clean, 1],
        [load, 0.5],
      ]),
    )
  })

  it('hides the conditions it waits for, those whole that nobody else waits for', () => {
    const touched = (source: string, condition: string) =>
      [...hiddenDependencies(index, source)].filter((e) => [e.sourceId, e.targetId].includes(condition)).map((e) => e.label)
    expect(touched(clean, loaded).sort()).toEqual(['BLOCKS', 'RELEASES'])
    expect(touched(report, cleaned)).toEqual(['BLOCKS'])
  })

  it('sees that one job writes what the other reads', () => {
    const spec = parseFeatureSpec({ task: 'dependency' })
    const at = nodeFeatureNames(spec).indexOf('evidence reads-what-it-writes')
    const { candidates } = encodeCandidates(estate, clean, [load, audit], spec)
    expect(candidates.map((c) => (c.nodeFeatures[1] as number[])[at])).toEqual([Math.round(Math.LN2 * 1e4) / 1e4, 0])
  })
})

describe.each(linkTaskNames)('task %s', (task) => {
  const estate = { 'foreign-key': smallEstate(), lineage: flowEstate(), dependency: jobEstate().estate }[task]
  const { lists, featureSpec } = buildLinkLists(estate, { features: { task } }, seeded(2))

  it('never has a known target among its negatives, nor the source', () => {
    const { label } = tasks[task]
    for (const list of lists) {
      const known = new Set(estate.edges.filter((e) => e.label === label && e.sourceId === list.queryId).map((e) => e.targetId))
      for (const { id, label: grade } of list.candidates) {
        expect(id).not.toBe(list.queryId)
        if (known.has(id!)) expect(grade).toBeGreaterThan(0)
      }
    }
  })

  it('gives finite rows of the named widths, edges of its types, the same at serving', () => {
    for (const list of lists) {
      const ids = list.candidates.map((c) => c.id!)
      const asked = encodeCandidates(estate, list.queryId, ids, featureSpec)
      expect(list.candidates.map(({ label: _, ...c }) => c)).toEqual(asked.candidates)
      for (const graph of asked.candidates) {
        for (const row of graph.nodeFeatures) {
          expect(row).toHaveLength(nodeFeatureWidth(featureSpec))
          expect([...row].every(Number.isFinite)).toBe(true)
        }
        for (const type of graph.edgeTypes!) expect(type).toBeLessThan(candidateEdgeTypes(featureSpec).length)
      }
    }
  })

  it('recalls its targets for serving, the known ones only when asked to', () => {
    for (const list of lists) {
      const targets = [...gradesOf(list)].filter(([, grade]) => grade === 1).map(([id]) => id)
      const [all, fresh] = [true, false].map((includeKnown) => candidateTargets(estate, list.queryId, { includeKnown }, featureSpec))
      for (const target of targets) {
        expect(all).toContain(target)
        expect(fresh).not.toContain(target)
      }
    }
  })

  it('has nothing to ask of empty and tiny estates, and says so', () => {
    const alone = new EstateBuilder()
    alone.database('d')
    alone.table('d', 't', { c: 'int' })
    for (const tiny of [{ nodes: [], edges: [] }, alone.build()])
      expect(buildLinkLists(tiny, { candidates: 'all', features: { task } }, seeded(1))).toMatchObject({ lists: [], problems: [] })
    const problem = noLinks('project p', featureSpec)
    expect(problem).toMatchObject({ code: 'no-links', where: 'project p' })
    expect(problem.found).toContain(tasks[task].label)
    expect(problem.suggestion).toContain('Ingest')
  })
})

it('an answer with nothing to tell it from is a problem, for every task', () => {
  const b = new EstateBuilder()
  const [a, c] = ['a', 'c'].map((name) => b.node('Table', name, name)) as [string, string]
  b.edge(a, 'DATA_FLOW', c)
  const { lists, problems } = buildLinkLists(b.build(), { features: { task: 'lineage', level: 'table' } }, seeded(1))
  expect(lists).toEqual([])
  expect(problems).toMatchObject([{ code: 'no-negatives', where: a, severity: 'warning' }])
})

it('an edge into nothing, a ring and a link to itself are taken as they are', () => {
  const b = new EstateBuilder()
  const [x, y, z] = ['x', 'y', 'z'].map((name) => b.node('Table', name, name)) as [string, string, string]
  for (const [from, to] of [
    [x, y],
    [y, x],
    [x, x],
    [x, 'nowhere'],
    [z, z],
  ] as const)
    b.edge(from, 'DATA_FLOW', to)
  const { lists } = buildLinkLists(b.build(), { candidates: 'all', features: { task: 'lineage', level: 'table' } }, seeded(1))
  expect(lists.map((l) => [l.queryId, [...gradesOf(l)]])).toEqual([
    [x, [[y, 1]]],
    [y, [[x, 1]]],
  ])
})

it('knows its tasks by name, and what was probably meant', () => {
  expect(linkTaskNames.map(parseLinkTask)).toEqual([...linkTaskNames])
  expect(() => parseLinkTask('linage')).toThrow(/expected one of foreign-key, lineage, dependency/)
  expect(Object.keys(tasks)).toEqual([...linkTaskNames])
  expect(new Set(linkTaskNames.map((name: LinkTaskName) => tasks[name].component)).size).toBe(3)
})
