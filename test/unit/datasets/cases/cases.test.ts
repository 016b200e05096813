import { describe, expect, it } from 'vitest'
import { columnTypeText } from '../../../../src/catalog/column.js'
import { anonymousRoles } from '../../../../src/datasets/cases/anonymous.js'
import { askCases, type Question, type TestCase } from '../../../../src/datasets/cases/case.js'
import { createDomainTestCases, domainsOf } from '../../../../src/datasets/cases/cases.js'
import { baseTypeOf } from '../../../../src/datasets/cases/columns.js'
import { estatePredictor } from '../../../../src/datasets/cases/predictor.js'
import type { Estate } from '../../../../src/datasets/links/estate.js'
import { scoreLevels } from '../../../../src/evaluation/levels/score.js'
import { seeded } from '../../../../src/util/random.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { EstateBuilder, smallEstate } from '../../../support/small-estate.js'
import { spiderEstate } from '../../../support/spider-estate.js'

/** Two shops with tables of the same names, as two databases. */
function twoShops(): Estate {
  const b = new EstateBuilder()
  for (const name of ['north', 'south']) {
    b.database(name)
    b.table(name, 'customers', { id: 'int*', name: 'string', email: 'string', since: 'date' })
    b.table(name, 'orders', { id: 'int*', customer_id: 'int', placed_at: 'timestamp', total: 'decimal(10,2)' })
    b.table(name, 'lines', { order_id: 'int*', line_no: 'int*', sku: 'string' })
    b.table(name, 'notes', { text: 'string', at: 'timestamp' })
    b.foreignKey(`${name}_customer`, [`${name}.orders.customer_id`, `${name}.customers.id`])
    b.foreignKey(`${name}_order`, [`${name}.lines.order_id`, `${name}.orders.id`])
  }
  return b.build()
}

type Asked<A extends Question['ask']> = TestCase & { question: Extract<Question, { ask: A }> }
const of = <A extends Question['ask']>(cases: readonly TestCase[], level: number, _: A) =>
  cases.filter((one) => one.level === level) as Asked<A>[]

/** Kind, label, kind, label, kind of every walk of two edges. */
function walks({ nodes, edges }: Estate): Set<string> {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]))
  const found = new Set<string>()
  for (const a of edges)
    for (const b of edges)
      if (a.targetId === b.sourceId)
        found.add([kinds.get(a.sourceId), a.label, kinds.get(a.targetId), b.label, kinds.get(b.targetId)].join('\t'))
  return found
}

describe.each([
  ['a shop and a school', smallEstate()],
  ['two shops', twoShops()],
])('test cases of %s', (_, estate) => {
  const made = createDomainTestCases(estate, { id: 'demo@3' }, { rng: seeded(1) })
  const { cases, visible } = made
  const nodes = new Map(estate.nodes.map((node) => [node.id, node]))

  it('are the same for the same facts and seed, in whatever order they come, and others for another seed', () => {
    const turned = { nodes: [...estate.nodes].reverse(), edges: estate.edges }
    expect(createDomainTestCases(turned, null, { rng: seeded(1) }).cases).toEqual(cases)
    expect(createDomainTestCases(estate, null, { rng: seeded(2) }).cases).not.toEqual(cases)
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
    expect(made.patternSetId).toBe('demo@3')
  })

  it('ask for types that are nowhere in what may be learned from: of single columns, of whole tables, of another database', () => {
    for (const level of [1, 2, 4] as const) {
      const asked = of(cases, level, 'column-type')
      expect(asked.length).toBeGreaterThan(0)
      for (const { question, expected, from } of asked) {
        expect(expected).toBe(baseTypeOf(nodes.get(question.columnId)!))
        const shown = visible[from]!.nodes.find(({ id }) => id === question.columnId)
        if (level === 4) expect(shown).toBeUndefined()
        else {
          expect(columnTypeText(shown!.properties)).toBe('')
          expect(Object.keys(shown!.properties).filter((key) => key !== 'ordinal')).toEqual([])
        }
      }
    }
  })

  it('level 1 asks in tables of which other columns are seen, level 2 in tables of which none is', () => {
    for (const level of [1, 2] as const)
      for (const { question, from } of of(cases, level, 'column-type')) {
        const siblings = estate.edges.filter((edge) => edge.sourceId === question.tableId && edge.label === 'HAS_COLUMN')
        const typed = siblings.filter(({ targetId }) => baseTypeOf(visible[from]!.nodes.find(({ id }) => id === targetId)!) !== null)
        if (level === 1) expect(typed.length).toBeGreaterThan(0)
        else expect(typed).toEqual([])
      }
  })

  it('level 3 asks for walks of which no example is left, though both of their parts are', () => {
    const asked = of(cases, 3, 'two-hops')
    expect(asked.length).toBeGreaterThan(0)
    const shown = visible['L3']!
    const left = walks(shown)
    const [before, kinds] = [walks(estate), new Map(shown.nodes.map(({ id, kind }) => [id, kind]))]
    const parts = new Set(shown.edges.map((e) => [kinds.get(e.sourceId), e.label, kinds.get(e.targetId)].join('\t')))
    for (const { question: q, expected } of asked) {
      const [first, second] = expected.split('>')
      const walk = [q.sourceKind, first, q.middleKind, second, q.targetKind]
      expect(before.has(walk.join('\t'))).toBe(true)
      expect(left.has(walk.join('\t'))).toBe(false)
      expect(parts.has(walk.slice(0, 3).join('\t'))).toBe(true)
      expect(parts.has(walk.slice(2).join('\t'))).toBe(true)
    }
  })

  it('a predictor that says nothing scores 0, one that says nonsense reaches no level, one that looks the answers up scores 1', async () => {
    const score = async (predict: (question: Question) => string | null) => scoreLevels(cases, await askCases(made, predict))
    expect((await score(() => null)).domainExpertise).toBe(0)
    expect(await score(() => 'nonsense')).toMatchObject({ intelligenceLevel: 0, domainExpertise: 0 })
    const peek = await score((q) => (q.ask === 'column-type' ? baseTypeOf(nodes.get(q.columnId)!) : null))
    expect([0, 1, 3].map((i) => peek.levels[i]!.score!.value)).toEqual([1, 1, 1])
  })
})

describe('level 5', () => {
  const estate = twoShops()
  const made = createDomainTestCases(estate, null, { rng: seeded(1) })
  const asked = of(made.cases, 5, 'role')

  it('shows tables without any name, and asks for the one of the same name elsewhere', () => {
    expect(asked).toHaveLength(8)
    const names = estate.nodes.map(({ name }) => name)
    for (const { question, expected, id } of asked) {
      const words = JSON.stringify(question.role).match(/[a-z_]+/gi)!
      expect(words.filter((word) => names.includes(word) && !['date', 'string'].includes(word))).toEqual([])
      expect(question.candidates).toContain(expected)
      const [own] = / (\S+) ->/.exec(id)!.slice(1)
      expect(expected.split('.').at(-1)).toBe(own!.split('.').at(-1))
      expect(expected).not.toBe(own)
    }
  })

  it('finds every table of a copy by structure alone', async () => {
    const answers = await askCases(made, estatePredictor())
    expect(asked.map(({ id }) => answers[id])).toEqual(asked.map(({ expected }) => expected))
  })

  it('a role is the same whatever things are called', () => {
    const renamed: Estate = {
      nodes: estate.nodes.map((node) => ({ ...node, name: `x${node.name.length}` })),
      edges: estate.edges,
    }
    const [before, after] = [anonymousRoles(estate), anonymousRoles(renamed)]
    for (const { id, kind } of estate.nodes) if (kind === 'Table') expect(after(id)).toEqual(before(id))
  })
})

it('domains are projects, and databases only where there is one project; an estate of nothing asks nothing', () => {
  expect(domainsOf(twoShops())).toMatchObject({ by: 'database', domains: [{}, {}] })
  const two = twoShops()
  const nodes = two.nodes.map((node) => ({ ...node, projectId: node.qualifiedName.startsWith('north') ? 'n' : 's' }))
  const { by, domains } = domainsOf({ nodes, edges: two.edges })
  expect([by, domains.map(({ name }) => name)]).toEqual(['project', ['n', 's']])
  expect(createDomainTestCases({ nodes: [], edges: [] }).cases).toEqual([])
})

describeIf(sharedData, 'needs ../shared/data/spider', 'on the schemas of Spider', () => {
  it('our learners are better than both baselines where there is something to learn, and the levels tell so', async () => {
    const made = createDomainTestCases(await spiderEstate(sharedData!), null, { rng: seeded(0) })
    const { levels } = scoreLevels(made.cases, await askCases(made, estatePredictor()))
    for (const { asked, score, baselines } of levels.slice(0, 3)) {
      expect(asked).toBeGreaterThan(100)
      expect(score!.low).toBeGreaterThan(Math.max(baselines.majority!, baselines.random!))
    }
  })
})
