import { describe, expect, it } from 'vitest'
import { errorsOf, nodeOf, parseHive } from '../support.js'
import { linesOf, tables } from './flows.js'

/** What the view says about itself; every expected number below was counted by hand. */
async function numbersOf(select: string) {
  const parsed = await parseHive(`${tables} create view v as ${select}`)
  expect(errorsOf(parsed)).toEqual([])
  const { information_loss, type_coverage, join_count } = nodeOf(parsed, 'view:default.v').properties
  return { information_loss, type_coverage, join_count }
}

describe('the numbers of a view', () => {
  it('of six columns, two without a source, one without a type, two joins', async () => {
    expect(
      await numbersOf(
        `select a.id, sum(a.balance) as s, count(*) as n, 'x' as k, rank() over (order by a.id) as r, a.balance * 2 as d
         from account a join customer c on a.customer_id = c.customer_id left join movement m on m.account_id = a.id group by a.id, a.balance`,
      ),
    ).toEqual({ information_loss: 0.3333, type_coverage: 0.8333, join_count: 2 })
  })

  it('count a column that only something steers as one with a source', async () => {
    expect(await numbersOf('select case when id > 1 then 1 else 0 end as x, 1 as y from account')).toEqual({
      information_loss: 0.5,
      type_coverage: 1,
      join_count: 0,
    })
  })

  it('count a column whose name nothing has as one without', async () => {
    expect(await numbersOf('select id, nothing, upper(nowhere) as u from account')).toMatchObject({
      information_loss: 0.6667,
      type_coverage: 0.6667,
    })
  })

  it('count commas and the joins of CTEs, sub-queries and conditions, and not those of CTEs that nothing reads', async () => {
    expect(
      await numbersOf(
        `with used as (select a.id, c.name from account a join customer c on a.customer_id = c.customer_id), unused as (select 1 from account, customer, movement)
         select used.id from used, movement, (select x.id from account x cross join account y) z
         where used.id in (select m.account_id from movement m left join customer on m.kind = segment)`,
      ),
    ).toMatchObject({ information_loss: 0, join_count: 5 })
  })

  it('say joins and filters in full', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select id from account a full outer join customer using (customer_id), movement m
       where m.amount > 0 group by id having count(*) > 1 qualify row_number() over (order by id) = 1`,
    )
    expect(nodeOf(parsed, 'view:default.v').properties).toMatchObject({
      joins: [
        { type: 'full outer', with: 'customer', on: 'using (customer_id)' },
        { type: 'cross', with: 'movement', on: null },
      ],
      filters: ['m.amount > 0', 'count(*) > 1', 'row_number() over (order by id) = 1'],
    })
  })

  it('are null where no column is known', async () => {
    expect(await numbersOf('select * from elsewhere')).toEqual({ information_loss: null, type_coverage: null, join_count: 0 })
  })

  it('stand at INSERT and bare queries too', async () => {
    const parsed = await parseHive(
      `${tables} insert into movement select id, 1.5, opened, 'x' from account; select count(*), name from customer group by name`,
    )
    const numbers = parsed.facts.flatMap((f) =>
      f.fact === 'node' && f.kind === 'SqlQuery'
        ? [[f.properties['kind'], f.properties['information_loss'], f.properties['type_coverage']]]
        : [],
    )
    expect(numbers).toEqual([
      ['insert', 0.5, 1],
      ['select', 0.5, 1],
    ])
  })
})

describe('a view over a view', () => {
  it('flows step by step; each step tells its own transformation', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select customer_id, sum(balance) as total from account group by customer_id; create view w as select v.total + 1 as raised, v.* from v;
       create table u as select * from w where total > 0`,
    )
    expect(parsed.problems).toEqual([])
    expect(linesOf(parsed, 'v')).toEqual(['customer_id : copy <- account.customer_id', 'total : aggregate <- account.balance'])
    expect(linesOf(parsed, 'w')).toEqual([
      'raised : expression <- v.total',
      'customer_id : copy <- v.customer_id',
      'total : copy <- v.total',
    ])
    expect(linesOf(parsed, 'u')).toEqual(['raised : copy <- w.raised', 'customer_id : copy <- w.customer_id', 'total : copy <- w.total'])
  })

  it('what steers is an edge of its own: another statement may bring the same column as a value', async () => {
    const parsed = await parseHive(
      `${tables} create table target (x bigint); insert into target select case when id > 1 then customer_id end from account; insert into target select id from account`,
    )
    const flows = parsed.facts.flatMap((f) =>
      f.fact === 'edge' && f.targetId.endsWith('target.x') && f.label === 'DATA_FLOW'
        ? [[f.sourceId.split('.').at(-1), f.discriminator ?? null, f.properties['transformation']]]
        : [],
    )
    expect(flows).toEqual([
      ['customer_id', null, 'conditional'],
      ['id', 'indirect', 'conditional'],
      ['id', null, 'copy'],
    ])
  })
})

describe('size', () => {
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
  const wide = (n: number) => `create table t (${numbers(n).map((i) => `c${i} int`)});`
  const shapes: Record<string, (n: number) => string> = {
    'items over an unknown table': (n) =>
      `create view v as select ${numbers(n).map((i) => `coalesce(b.col_${i}, 0) as out_${i}`)} from base b`,
    'items over two known tables': (n) =>
      `${wide(n)} create view v as select ${numbers(n).map((i) => `coalesce(x.c${i}, y.c${i}) as out_${i}`)} from t x join t y on x.c0 = y.c0`,
    'names without a qualifier': (n) => `${wide(n)} create view v as select ${numbers(n).map((i) => `c${i} + 1 as out_${i}`)} from t`,
    'stars through CTEs': (n) =>
      `${wide(n)} create view v as with a as (select * from t), b as (select * from a), c as (select ${numbers(n).map((i) => `c${i} + 1 as c${i}`)} from b) select * from c`,
    'one long CASE': (n) =>
      `${wide(n)} create view v as select case ${numbers(n)
        .map((i) => `when c${i} = 1 then c${i}`)
        .join(' ')} end as x from t`,
    'one long concatenation': (n) =>
      `${wide(n)} create view v as select ${numbers(n)
        .map((i) => `c${i}`)
        .join(' || ')} as x from t`,
  }

  it.each(Object.entries(shapes))('a SELECT of 40 kB and more takes time in line with its length: %s', async (_, text) => {
    const time = async (n: number): Promise<number> => {
      // of this process, so that a busy machine does not count
      const before = process.cpuUsage()
      const parsed = await parseHive(text(n))
      const { user } = process.cpuUsage(before)
      expect(parsed.problems).toEqual([])
      return user / 1_000 / n
    }
    await time(300)
    const short = Math.min(await time(300), await time(300), await time(300))
    // eight times the length: a quadratic step would make each item eight times as slow
    expect(Math.min(await time(2400), await time(2400))).toBeLessThan(4 * short + 0.05)
  })

  it('a UNION of hundreds of branches over one wide table, and deep sub-queries', async () => {
    const union = numbers(300).map((i) => `select c${i} as x from t`)
    const parsed = await parseHive(`${wide(2000)} create view v as ${union.join(' union all ')}`)
    expect(linesOf(parsed)[0]!.split(', ')).toHaveLength(300)
    const nested = numbers(60).reduce((query, i) => `select x from (${query}) q${i}`, 'select c1 as x from t')
    expect(linesOf(await parseHive(`${wide(3)} create view v as ${nested}`))).toEqual(['x : copy <- t.c1'])
  })

  it('an expression nested too deeply costs its statement, not the file', async () => {
    const nest = (n: number) =>
      `create view v as select ${'coalesce(c1, '.repeat(n)} 0 ${')'.repeat(n)} as x from t; create view w as select c0 from t`
    expect(linesOf(await parseHive(`${wide(2)} ${nest(200)}`))).toEqual(['x : conditional <- t.c1'])
    const parsed = await parseHive(`${wide(2)} ${nest(5000)}`)
    expect(parsed.problems).toMatchObject([{ severity: 'error', where: 'test.sql:1:33' }])
    expect(linesOf(parsed, 'w')).toEqual(['c0 : copy <- t.c0'])
  })
})
