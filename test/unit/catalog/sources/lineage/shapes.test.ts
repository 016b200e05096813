import { describe, expect, it } from 'vitest'
import { codesOf, edgesOf, nodeOf, parseHive } from '../support.js'
import { lines, linesOf, tables } from './flows.js'

describe('CTEs', () => {
  it('shadow a table of their name, but read the table itself', async () => {
    expect(await lines('with customer as (select name as label from customer) select label from customer')).toEqual([
      'label : copy <- customer.name',
    ])
  })

  it('are not meant by a name with a database', async () => {
    expect(await lines('with customer as (select id as name from account) select name from default.customer')).toEqual([
      'name : copy <- customer.name',
    ])
  })

  it('shadow those of the query around them, in their own query only', async () => {
    const inner = 'with a as (select name as x from customer) select x from a'
    expect(
      await lines(`with a as (select id as x from account) select a.x as outer_x, q.x as inner_x from a join (${inner}) q on a.x = q.x`),
    ).toEqual(['outer_x : copy <- account.id', 'inner_x : copy <- customer.name'])
  })

  it('see those before them, each by its own name', async () => {
    expect(
      await lines(
        'with a as (select id, balance from account), b as (select id, balance + 1 as balance from a), a2 as (select b.id, a.balance as first, b.balance as second from a join b on a.id = b.id) select * from a2',
      ),
    ).toEqual(['id : copy <- account.id', 'first : copy <- account.balance', 'second : expression <- account.balance'])
  })

  it('that nothing names are not read', async () => {
    const parsed = await parseHive(
      `${tables} create view v as with a as (select nothing from movement), b as (select id from account) select id from b`,
    )
    expect(codesOf(parsed)).toEqual([])
    expect(edgesOf(parsed, 'DATA_FLOW').filter((e) => e.startsWith('table'))).toEqual(['table:default.account -> view:default.v'])
  })

  it('that are read twice are read once', async () => {
    const parsed = await parseHive(
      `${tables} create view v as with a as (select m.* from movement m join customer c on m.kind = c.segment) select x.kind, y.amount from a x join a y on x.account_id = y.account_id`,
    )
    expect(linesOf(parsed)).toEqual(['kind : copy <- movement.kind', 'amount : copy <- movement.amount'])
    expect(nodeOf(parsed, 'view:default.v').properties['join_count']).toBe(2)
  })

  it('stand before INSERT and multi-insert', async () => {
    const parsed = await parseHive(`${tables} create table one (a bigint); create table two (b string);
      with q as (select balance as x, opened as y from account) from q insert overwrite table one select x insert overwrite table two select y where y is not null;
      from (select kind as k, amount as m from movement) s insert into one select m insert into two select k`)
    expect(parsed.problems).toEqual([])
    expect(edgesOf(parsed, 'DATA_FLOW').filter((e) => e.startsWith('column'))).toEqual([
      'column:default.account.balance -> column:default.one.a',
      'column:default.account.opened -> column:default.two.b',
      'column:default.movement.amount -> column:default.one.a',
      'column:default.movement.kind -> column:default.two.b',
    ])
  })
})

describe('sub-queries in FROM', () => {
  it('may use one alias at every level', async () => {
    expect(
      await lines('select t.x, t.y from (select t.x, t.y from (select t.balance as x, t.id as y from account t) t where t.x > 0) t'),
    ).toEqual(['x : copy <- account.balance', 'y : copy <- account.id'])
  })

  it('do not see each other', async () => {
    const parsed = await parseHive(`${tables} create view v as select q.n from account a, (select a.balance as n from customer) q`)
    expect(parsed.problems).toMatchObject([{ code: 'unresolved-column', found: '"a.balance" in a query' }])
    expect(linesOf(parsed)).toEqual(['n : copy'])
  })

  it('may be VALUES', async () => {
    expect(await lines("select v.col2, name from (values (1, 'a'), (2, 'b')) v join customer on col1 = customer_id")).toEqual([
      'col2 : constant',
      'name : copy <- customer.name',
    ])
  })
})

describe('SELECT *', () => {
  it('goes through three levels, with what each adds', async () => {
    const select = 'select *, 1 as three from (select *, segment as two from (select c.*, upper(name) as one from customer c) a) b'
    expect(await lines(select)).toEqual([
      'customer_id : copy <- customer.customer_id',
      'name : copy <- customer.name',
      'segment : copy <- customer.segment',
      'one : expression <- customer.name',
      'two : copy <- customer.segment',
      'three : constant',
    ])
  })

  it('counts as one item in the numbers of columns without a name', async () => {
    expect(await lines('select *, 1, balance + 1 from (select id, balance from account) a')).toEqual([
      'id : copy <- account.id',
      'balance : copy <- account.balance',
      '_c1 : constant',
      '_c2 : expression <- account.balance',
    ])
  })

  it('of an unknown table at the bottom lets names through', async () => {
    expect(await lines('select x, upper(y) as y from (select * from (select *, 1 as one from elsewhere) a) b')).toEqual([
      'x : copy <- elsewhere.x',
      'y : expression <- elsewhere.y',
    ])
  })
})

describe('set operators', () => {
  it('UNION ALL goes by position, under the first names, and the strongest branch tells how', async () => {
    expect(
      await lines(
        'select id as a, balance as b, 1 as c from account union all select customer_id, name, segment from customer union all select account_id, cast(amount as string), max(kind) from movement group by account_id, amount',
      ),
    ).toEqual([
      'a : copy <- account.id, customer.customer_id, movement.account_id',
      'b : cast <- account.balance, customer.name, movement.amount',
      'c : aggregate <- customer.segment, movement.kind',
    ])
  })

  it('lets names be used that only the first branch has', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select t.k, t.name from (select id as k from account union all select customer_id as name from customer) t`,
    )
    expect(linesOf(parsed)).toEqual(['k : copy <- account.id, customer.customer_id', 'name : copy'])
    expect(codesOf(parsed)).toEqual(['unresolved-column'])
  })

  it('UNION, INTERSECT bring values of both sides; EXCEPT and MINUS of the left', async () => {
    for (const operator of ['union', 'union distinct', 'intersect'])
      expect(await lines(`select id as x from account ${operator} select customer_id from customer`)).toEqual([
        'x : copy <- account.id, customer.customer_id',
      ])
    for (const operator of ['except', 'minus', 'except all'])
      expect(await lines(`select id as x from account ${operator} select customer_id from customer`)).toEqual(['x : copy <- account.id'])
  })

  it('what is direct in one branch and steers in another is direct', async () => {
    expect(await lines('select balance as x from account union all select case when balance > 0 then id end from account')).toEqual([
      'x : conditional <- account.balance, account.id',
    ])
  })
})

describe('joins', () => {
  it('of a table with itself keep the aliases apart, though it is one column', async () => {
    expect(
      await lines(
        'select a.balance as mine, b.balance as theirs, a.balance - b.opened as d from account a join account b on a.customer_id = b.id',
      ),
    ).toEqual(['mine : copy <- account.balance', 'theirs : copy <- account.balance', 'd : expression <- account.balance, account.opened'])
  })

  it('without a qualifier, a column of two tables is told, and not guessed', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select customer_id, id from account a join customer c on a.customer_id = c.customer_id`,
    )
    expect(parsed.problems).toMatchObject([
      { severity: 'warning', code: 'unresolved-column', found: '"customer_id" in a query', suggestion: 'Did you mean "a.customer_id"?' },
    ])
    expect(linesOf(parsed)).toEqual(['customer_id : copy', 'id : copy <- account.id'])
  })

  it.each([
    ['join', 'customer_id : copy <- account.customer_id'],
    ['left join', 'customer_id : copy <- account.customer_id'],
    ['right outer join', 'customer_id : copy <- customer.customer_id'],
    ['full outer join', 'customer_id : conditional <- account.customer_id, customer.customer_id'],
  ])('%s … USING makes one column of two', async (join, line) => {
    expect(await lines(`select customer_id, name from account ${join} customer using (customer_id)`)).toEqual([
      line,
      'name : copy <- customer.name',
    ])
    expect(
      (await lines(`select * from (select customer_id, id from account) a ${join} customer using (customer_id)`)).map(
        (l) => l.split(' ')[0],
      ),
    ).toEqual(['customer_id', 'id', 'name', 'segment'])
    expect(await lines(`select c.customer_id as k from account a ${join} customer c using (customer_id)`)).toEqual([
      'k : copy <- customer.customer_id',
    ])
  })

  it('USING over three tables', async () => {
    const three = tables.replace('account_id bigint', 'customer_id bigint')
    expect(
      await lines('select customer_id, amount from account full join customer using (customer_id) full join movement using (customer_id)', {
        before: three,
      }),
    ).toEqual([
      'customer_id : conditional <- account.customer_id, customer.customer_id, movement.customer_id',
      'amount : copy <- movement.amount',
    ])
  })

  it.each(['left semi join', 'left anti join'])('%s: its right side is read, but not selected', async (join) => {
    const parsed = await parseHive(`${tables} create view v as select * from account a ${join} customer c on a.customer_id = c.customer_id`)
    expect(codesOf(parsed)).toEqual([])
    expect(linesOf(parsed).map((l) => l.split(' ')[0])).toEqual([
      'id',
      'customer_id',
      'balance',
      'opened',
      'address',
      'tags',
      'limits',
      'owners',
    ])
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('table:default.customer -> view:default.v')
  })

  it('sub-queries in ON, EXISTS and IN are read, and no value of theirs flows', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select a.id from account a left join other o on o.id = a.id and o.k in (select k from keys)
       where exists (select 1 from customer c where c.customer_id = a.customer_id) and a.id not in (select account_id from movement m where m.kind = a.tags[0])`,
    )
    expect(parsed.problems).toEqual([])
    expect(linesOf(parsed)).toEqual(['id : copy <- account.id'])
    const read = parsed.facts.flatMap((f) =>
      f.fact === 'edge' && f.label === 'DATA_FLOW' && !f.targetId.includes('/column:')
        ? [f.sourceId.replace('bank/dwh/table:', '') || (f.properties['unresolved'] as { table_name: string }).table_name]
        : [],
    )
    expect(read.sort()).toEqual(['default.account', 'default.customer', 'default.keys', 'default.movement', 'default.other'])
  })
})

describe('LATERAL VIEW', () => {
  it('takes arrays, maps and structs apart', async () => {
    expect(
      await lines(
        `select id, tag, p, t2, k, n, o.share from account lateral view explode(tags) a as tag lateral view outer posexplode(tags) b as p, t2
         lateral view explode(limits) c as k, n lateral view inline(owners) o`,
      ),
    ).toEqual([
      'id : copy <- account.id',
      'tag : expression <- account.tags',
      'p : expression <- account.tags',
      't2 : expression <- account.tags',
      'k : expression <- account.limits',
      'n : expression <- account.limits',
      'share : expression <- account.owners',
    ])
  })

  it('knows the names that functions give by themselves, and their types', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select a.col, b.key, b.value, c.name, d.pos, e.c1 from account lateral view explode(tags) a lateral view explode(limits) b
       lateral view inline(owners) c lateral view posexplode(tags) d lateral view json_tuple(address.street, 'x', 'y') e; create view w as select explode(tags) from account;
       create view u as select explode(limits) from account`,
    )
    expect(parsed.problems).toEqual([])
    const types = ['col', 'key', 'value', 'name', 'pos', 'c1'].map((c) => nodeOf(parsed, `column:default.v.${c}`).properties['data_type'])
    expect(types).toEqual(['string', 'string', 'int', 'string', 'int', 'string'])
    expect(linesOf(parsed, 'w')).toEqual(['col : expression <- account.tags'])
    expect(linesOf(parsed, 'u')).toEqual(['key : expression <- account.limits', 'value : expression <- account.limits'])
  })

  it('over an unknown type, without names, means whatever is asked of it', async () => {
    expect(await lines('select s.a, b from elsewhere e lateral view inline(e.parts) s', { lax: true })).toEqual([
      'a : expression <- elsewhere.parts',
      'b : copy <- elsewhere.b',
    ])
  })

  it('builds on the one before it, and on nothing at all', async () => {
    expect(await lines('select w from account lateral view explode(tags) a as t lateral view explode(split(t, " ")) b as w')).toEqual([
      'w : expression <- account.tags',
    ])
    expect(await lines('select n from account lateral view explode(array(1, 2)) a as n')).toEqual(['n : constant'])
  })

  it('stack gives the columns it is told', async () => {
    expect(await lines("select stack(2, 'a', id, 'b', balance) as (kind, amount) from account")).toEqual([
      'kind : expression <- account.balance, account.id',
      'amount : expression <- account.balance, account.id',
    ])
  })
})

describe('names with dots', () => {
  it('may begin with an alias, a table, a database or a struct', async () => {
    expect(
      await lines('select a.address.street as a, address.geo.lat as b, default.account.address.street as c, a.id as d from account a'),
    ).toEqual([
      'a : expression <- account.address',
      'b : expression <- account.address',
      'c : expression <- account.address',
      'd : copy <- account.id',
    ])
  })

  it('may begin with a struct that is called as its table is', async () => {
    const before = 'create table address (address struct<street:string>, city string)'
    expect(await lines('select address.street, address.city from address', { before })).toEqual([
      'street : expression <- address.address',
      'city : copy <- address.city',
    ])
  })

  it('are called by their last part, behind a subscript too', async () => {
    expect(await lines('select owners[0].name, limits["a"], address.geo.lat from account')).toEqual([
      'name : expression <- account.owners',
      '_c1 : expression <- account.limits',
      'lat : expression <- account.address',
    ])
  })

  it('mean the nearest query that has the alias', async () => {
    expect(
      await lines(
        'select (select max(a.name) from customer a where a.customer_id = b.id) as x from account a join account b on a.id = b.id',
      ),
    ).toEqual(['x : aggregate <- customer.name'])
  })
})
