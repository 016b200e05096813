import { describe, expect, it } from 'vitest'
import type { EdgeFact } from '../../../../src/catalog/fact.js'
import { codesOf, columnsOf, edgesOf, errorsOf, nodeOf, parseHive } from './support.js'

const tables = `
  create table account (id bigint, customer_id bigint, balance decimal(10,2), address struct<street:string,geo:struct<lat:double>>, tags array<string>);
  create table customer (customer_id bigint, name string);`

/** `column <- source transformation` of each flow into the columns of v (with `(indirect)` where it only steers), tables left out. */
async function flows(select: string, before = tables): Promise<string[]> {
  const parsed = await parseHive(`${before} create view v as ${select}`)
  expect(errorsOf(parsed)).toEqual([])
  return parsed.facts
    .filter((f): f is EdgeFact => f.fact === 'edge' && f.label === 'DATA_FLOW' && f.targetId.includes('/column:'))
    .map((f) => {
      const { column, candidates } = (f.properties['unresolved'] ?? {}) as { column?: string; candidates?: string[] }
      const from =
        f.sourceId === '' ? `${column}?${candidates!.map((c) => c.split('.').at(-1)).join('|')}` : f.sourceId.replace(/.*:default\./, '')
      return `${f.targetId.split('.').at(-1)} <- ${from} ${f.properties['transformation']}${f.properties['indirect'] ? ' (indirect)' : ''}`
    })
}

describe('how a column comes about is decided by its own expression', () => {
  it.each([
    ['balance', 'copy'],
    ['(balance)', 'copy'],
    ['cast(balance as string)', 'cast'],
    ['cast(balance + 1 as string)', 'expression'],
    ['balance + 1', 'expression'],
    ['-balance', 'expression'],
    ['round(balance)', 'expression'],
    ['case when balance > 0 then 1 else 0 end', 'conditional (indirect)'],
    ['coalesce(balance, 0)', 'conditional'],
    ['if(balance > 0, 1, 2)', 'conditional (indirect)'],
    ['sum(balance)', 'aggregate'],
    ['coalesce(sum(balance), 0)', 'aggregate'],
    ['sum(balance) over ()', 'window'],
    ['rank() over (order by balance)', 'window (indirect)'],
  ])('%s is %s', async (expression, transformation) => {
    expect(await flows(`select ${expression} as x from account`)).toEqual([`x <- account.balance ${transformation}`])
  })

  it.each(['42', "'x'", 'current_date()', 'null', 'true'])('%s has no source', async (expression) => {
    expect(await flows(`select ${expression} as x from account`)).toEqual([])
  })

  it('not by those beside it', async () => {
    expect(await flows('select id, sum(balance) as total from account group by id')).toEqual([
      'id <- account.id copy',
      'total <- account.balance aggregate',
    ])
  })

  it('and the strongest along the way', async () => {
    expect(await flows('select t as y from (select sum(balance) as t from account) s')).toEqual(['y <- account.balance aggregate'])
    expect(await flows('select cast(t as string) as y from (select balance as t from account) s')).toEqual(['y <- account.balance cast'])
  })
})

describe('names', () => {
  it('without a qualifier go to the table that has them', async () => {
    expect(await flows('select id, name from account a join customer c on a.customer_id = c.customer_id')).toEqual([
      'id <- account.id copy',
      'name <- customer.name copy',
    ])
  })

  it('of tables in other files are theirs where only one can be meant', async () => {
    expect(await flows('select z.x, y from elsewhere z')).toEqual(['x <- elsewhere.x copy', 'y <- elsewhere.y copy'])
    // account surely has no `region`, so it is the unknown table's
    expect(await flows('select region from account a join elsewhere z on a.id = z.id')).toEqual(['region <- elsewhere.region copy'])
  })

  it('that several unknown tables may have stay open, with the candidates', async () => {
    expect(await flows('select region from one join two on one.id = two.id')).toEqual(['region <- region?one|two copy'])
  })

  it('that nothing has are told, with what was meant, and flow from nowhere', async () => {
    const parsed = await parseHive(`${tables} create view v as select balanse from account`)
    expect(parsed.problems).toMatchObject([
      { severity: 'warning', code: 'unresolved-column', found: '"balanse" in a query', suggestion: 'Did you mean "balance"?' },
    ])
    expect(nodeOf(parsed, 'view:default.v').properties).toMatchObject({ information_loss: 1, type_coverage: 0 })
  })

  it('reach into structs, by alias, by column or by database', async () => {
    expect(await flows('select a.address.geo.lat, address.street, default.account.id from account a')).toEqual(
      ['lat <- account.address expression', 'street <- account.address expression'].concat([]).concat(['id <- account.id copy']),
    )
    const parsed = await parseHive(`${tables} create view v as select a.address.geo.lat from account a`)
    expect(nodeOf(parsed, 'column:default.v.lat').properties['data_type']).toBe('double')
  })

  it('of an outer query are seen by the inner one', async () => {
    expect(
      await flows('select id, (select max(c.name) from customer c where c.customer_id = a.customer_id) as top from account a'),
    ).toEqual(['id <- account.id copy', 'top <- customer.name aggregate'])
    expect(
      codesOf(
        await parseHive(
          `${tables} create view v as select id from account a where exists (select 1 from customer where customer_id = a.id)`,
        ),
      ),
    ).toEqual([])
  })
})

describe('shapes of queries', () => {
  it('star over known tables gives their columns, qualified or not', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select c.*, a.id from account a join customer c on a.customer_id = c.customer_id; create view w as select * from v`,
    )
    expect(columnsOf(parsed, 'default.v')).toEqual(['customer_id', 'name', 'id'])
    expect(columnsOf(parsed, 'default.w')).toEqual(['customer_id', 'name', 'id'])
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('column:default.v.name -> column:default.w.name')
  })

  it('star over unknown tables stays open', async () => {
    const parsed = await parseHive('create view v as select *, 1 as one from a.b; create view w as select x, * from (select * from c) q')
    const open = parsed.facts.filter(
      (f): f is EdgeFact => f.fact === 'edge' && f.sourceId === '' && 'star' in ((f.properties['unresolved'] ?? {}) as object),
    )
    expect(open.map((f) => [f.targetId.split(':')[1], (f.properties['unresolved'] as { candidates: string[] }).candidates])).toEqual([
      ['default.v', ['bank/dwh/table:a.b']],
      ['default.w', ['bank/dwh/table:default.c']],
    ])
    expect(columnsOf(parsed, 'default.v')).toEqual(['one'])
    expect(nodeOf(parsed, 'view:default.v').properties).not.toHaveProperty('column_count')
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('column:default.c.x -> column:default.w.x')
  })

  it('UNION brings sources together by position, EXCEPT takes none away', async () => {
    expect(await flows('select id as x from account union all select customer_id from customer')).toEqual([
      'x <- account.id copy',
      'x <- customer.customer_id copy',
    ])
    expect(await flows('select id as x from account except select customer_id from customer')).toEqual(['x <- account.id copy'])
  })

  it('CTEs see those before them, and shadow tables', async () => {
    expect(
      await flows(
        'with a as (select id, balance from account), b as (select id, sum(balance) as s from a group by id), customer as (select s as name from b) select name from customer',
      ),
    ).toEqual(['name <- account.balance aggregate'])
  })

  it('LATERAL VIEW carries on what it takes apart', async () => {
    expect(await flows('select id, tag from account lateral view explode(tags) t as tag')).toEqual([
      'id <- account.id copy',
      'tag <- account.tags expression',
    ])
  })

  it('every table that is read flows into the view, those of conditions too', async () => {
    const parsed = await parseHive(
      `${tables} create view v as select id from account where customer_id in (select customer_id from customer)`,
    )
    expect(edgesOf(parsed, 'DATA_FLOW')).toEqual([
      'column:default.account.id -> column:default.v.id',
      'table:default.account -> view:default.v',
      'table:default.customer -> view:default.v',
    ])
  })

  it('INSERT goes by position or by its column list, fixed partitions left out', async () => {
    const parsed = await parseHive(`${tables}
      create table target (a bigint, b string) partitioned by (day date, region string);
      insert into table target partition (day='2024-01-01', region) select customer_id, name, 'EU' from customer;
      insert into target (b, a) select name, customer_id from customer;`)
    expect(edgesOf(parsed, 'DATA_FLOW')).toEqual([
      'column:default.customer.customer_id -> column:default.target.a',
      'column:default.customer.name -> column:default.target.b',
      'table:default.customer -> table:default.target',
    ])
  })

  it('a bare query is a node that reads', async () => {
    const parsed = await parseHive(`${tables} select name from customer join other.x on true`)
    expect(edgesOf(parsed, 'READS')).toEqual([
      expect.stringMatching(/^query:select-\w+ -> $/),
      expect.stringMatching(/^query:select-\w+ -> table:default.customer$/),
    ])
    expect(parsed.facts.at(-1)).toMatchObject({ label: 'READS', targetId: '', properties: { unresolved: { table_name: 'other.x' } } })
  })
})
