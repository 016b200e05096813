import { describe, expect, it } from 'vitest'
import { lines } from './flows.js'

/** Expression over `account` -> its line without the name. */
const cases: Record<string, [string, string][]> = {
  'what becomes the value, and what only steers it': [
    ['case when balance > 0 then id else customer_id end', 'conditional <- account.customer_id, account.id | account.balance'],
    ['case customer_id when 1 then id end', 'conditional <- account.id | account.customer_id'],
    ['case when balance > 0 then balance end', 'conditional <- account.balance'],
    ['case when id > 0 then case when balance > 0 then opened end end', 'conditional <- account.opened | account.balance, account.id'],
    ['case when id > 0 then 1 else 0 end', 'conditional | account.id'],
    ['if(balance > 0, id, customer_id)', 'conditional <- account.customer_id, account.id | account.balance'],
    ['coalesce(balance, id)', 'conditional <- account.balance, account.id'],
    ['nvl(balance, 0)', 'conditional <- account.balance'],
    ['nvl2(opened, balance, id)', 'conditional <- account.balance, account.id | account.opened'],
    ['nullif(balance, id)', 'conditional <- account.balance | account.id'],
    ['greatest(balance, id)', 'conditional <- account.balance, account.id'],
    ['elt(id, balance, opened)', 'expression <- account.balance, account.opened | account.id'],
    ['limits["day"]', 'expression <- account.limits'],
    ['tags[id]', 'expression <- account.tags | account.id'],
    ['owners[0].name', 'expression <- account.owners'],
    ['address.geo.lat', 'expression <- account.address'],
    ['balance > id and not opened is null', 'expression <- account.balance, account.id, account.opened'],
    ['balance between id and customer_id', 'expression <- account.balance, account.customer_id, account.id'],
    ['sum(case when id = 1 then balance else 0 end)', 'aggregate <- account.balance | account.id'],
    ['count(*)', 'aggregate'],
    ['count(distinct id, balance)', 'aggregate <- account.balance, account.id'],
    ['sum(1)', 'aggregate'],
    ['percentile_cont(0.5) within group (order by balance)', 'aggregate <- account.balance'],
    ['max_by(balance, opened)', 'aggregate <- account.balance | account.opened'],
    ['1 + 1', 'constant'],
    ["case when 1 = 1 then 'a' else 'b' end", 'constant'],
    ['interval 5 days', 'constant'],
    ['cast(balance as string)', 'cast <- account.balance'],
    ['cast(cast(balance as string) as int)', 'expression <- account.balance'],
    ['substr(upper(cast(balance as string)), 1, 2)', 'expression <- account.balance'],
    ['input__file__name', 'copy'],
  ],
  'windows: their partition and order steer': [
    ['sum(balance) over (partition by customer_id order by opened)', 'window <- account.balance | account.customer_id, account.opened'],
    ['row_number() over (partition by customer_id order by opened desc)', 'window | account.customer_id, account.opened'],
    ['lag(balance, 1, id) over (order by opened)', 'window <- account.balance, account.id | account.opened'],
    ['balance / sum(balance) over ()', 'window <- account.balance'],
    [
      'sum(balance) over (partition by customer_id order by opened rows between 3 preceding and current row)',
      'window <- account.balance | account.customer_id, account.opened',
    ],
    [
      'sum(balance) over (partition by case when id > 1 then customer_id end)',
      'window <- account.balance | account.customer_id, account.id',
    ],
    ['case when rank() over (order by opened) = 1 then balance end', 'window <- account.balance | account.opened'],
    ['sum(balance) over (order by balance)', 'window <- account.balance'],
  ],
}

for (const [title, rows] of Object.entries(cases))
  describe(title, () => {
    it.each(rows)('%s', async (expression, line) => {
      expect(await lines(`select ${expression} as x from account`)).toEqual([`x : ${line}`])
    })
  })

describe('along the way', () => {
  it('the strongest step counts, whichever query it is in', async () => {
    const inner = 'select sum(balance) as t, max(opened) as o, customer_id as c from account group by customer_id'
    expect(await lines(`select t + 1 as a, cast(o as string) as b, c + 1 as d, coalesce(t, c) as e, c from (${inner}) s`)).toEqual([
      'a : aggregate <- account.balance',
      'b : aggregate <- account.opened',
      'd : expression <- account.customer_id',
      'e : aggregate <- account.balance, account.customer_id',
      'c : copy <- account.customer_id',
    ])
  })

  it('a constant stays one, until a column comes in', async () => {
    expect(
      await lines(
        "select k as a, concat(k, 'y') as b, concat(k, id) as c, sum(1) as d from (select 'x' as k, id from account) s group by k, id",
      ),
    ).toEqual(['a : constant', 'b : constant', 'c : expression <- account.id', 'd : aggregate'])
  })

  it('what steers an inner column steers those made of it; what made a condition steers', async () => {
    const inner = 'select case when segment = 1 then name end as n, customer_id as c from customer'
    expect(await lines(`select upper(n) as a, case when n = 1 then c end as b, case when c > 1 then n end as d from (${inner}) s`)).toEqual(
      [
        'a : conditional <- customer.name | customer.segment',
        'b : conditional <- customer.customer_id | customer.name, customer.segment',
        'd : conditional <- customer.name | customer.customer_id, customer.segment',
      ],
    )
  })

  it('named windows are those of their own SELECT', async () => {
    expect(
      await lines(
        'select sum(balance) over w as a, rank() over v as b from account window w as (partition by customer_id), V as (order by opened)',
      ),
    ).toEqual(['a : window <- account.balance | account.customer_id', 'b : window | account.opened'])
  })
})

describe('groupings', () => {
  it.each(['rollup (customer_id, opened)', 'cube (customer_id, opened)'])('by %s leave values as they are', async (by) => {
    expect(
      await lines(`select customer_id, opened, sum(balance) as s, grouping(opened) as g, grouping__id as gid from account group by ${by}`),
    ).toEqual([
      'customer_id : copy <- account.customer_id',
      'opened : copy <- account.opened',
      's : aggregate <- account.balance',
      'g : aggregate | account.opened',
      'gid : aggregate',
    ])
  })

  it('by sets, with HAVING and QUALIFY beside', async () => {
    expect(
      await lines(
        'select customer_id, count(*) as n from account group by customer_id, opened grouping sets ((customer_id), (opened)) having max(balance) > (select avg(amount) from movement) qualify row_number() over (order by customer_id) = 1',
      ),
    ).toEqual(['customer_id : copy <- account.customer_id', 'n : aggregate'])
  })

  it('DISTINCT and hints are no matter', async () => {
    expect(
      await lines('select /*+ mapjoin(c) */ distinct c.name, a.id from account a join customer c on a.customer_id = c.customer_id'),
    ).toEqual(['name : copy <- customer.name', 'id : copy <- account.id'])
  })
})

describe('sub-queries as values', () => {
  it('give what they select; their conditions do not count', async () => {
    expect(
      await lines(
        'select (select max(c.name) from customer c where c.customer_id = a.customer_id and c.segment = 1) as top from account a',
      ),
    ).toEqual(['top : aggregate <- customer.name'])
    expect(await lines('select (select name from customer limit 1) as one from account')).toEqual(['one : copy <- customer.name'])
  })

  it('may select from the row around them', async () => {
    expect(await lines('select (select max(c.segment + a.id) from customer c) as m from account a')).toEqual([
      'm : aggregate <- account.id, customer.segment',
    ])
  })

  it('EXISTS takes no value, IN compares with one', async () => {
    expect(
      await lines(
        'select exists (select * from customer c where c.customer_id = a.customer_id) as e, a.id in (select account_id from movement) as i, case when not exists (select 1 from movement) then id end as n from account a',
      ),
    ).toEqual(['e : expression', 'i : expression <- account.id, movement.account_id', 'n : conditional <- account.id'])
  })

  it('steer where they stand in a condition', async () => {
    expect(await lines('select case when (select max(amount) from movement) > 5 then balance end as x from account')).toEqual([
      'x : aggregate <- account.balance | movement.amount',
    ])
  })
})
