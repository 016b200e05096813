import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ParsedSource, SourceContext } from '../../../../src/catalog/fact.js'
import { detectDialect, parseSource } from '../../../../src/catalog/sources/index.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { bank, codesOf, columnsOf, edgeOf, edgesOf, errorsOf, has, nodeOf, removalsOf } from './support.js'

const fixture = (name: string) => fs.readFileSync(path.join(import.meta.dirname, `../fixtures/kitchen-sink.${name}.sql`), 'utf8')
const parse = (dialect: string, text: string, more: Partial<SourceContext> = {}) =>
  parseSource(`${dialect}-ddl`, text, { ...bank, ...more })
const typesOf = (parsed: ParsedSource, table: string) =>
  Object.fromEntries(columnsOf(parsed, table).map((c) => [c, nodeOf(parsed, `column:${table}.${c}`).properties['data_type']]))
const notable = ({ problems }: ParsedSource) => problems.filter((p) => p.severity !== 'info').map((p) => [p.code, p.where])
const passedOver = ({ problems }: ParsedSource) => problems.filter((p) => p.severity === 'info').map((p) => p.found)

describe('MySQL', async () => {
  const parsed = await parse('mysql', fixture('mysql'))
  const column = (name: string) => nodeOf(parsed, `column:shop.${name}`).properties

  it('passes over rows, locks and routines with one note each, and tells what is odd', () => {
    expect(notable(parsed)).toEqual([
      ['missing-type', 'test.sql:82:29'],
      ['misspelled-verb', 'test.sql:83:1'],
    ])
    expect(passedOver(parsed)).toEqual(['set, 3 times', 'lock', 'insert, 2 times', 'unlock', 'create trigger'])
    expect(has(parsed, 'table:shop.x')).toBe(false)
  })

  it('reads databases from conditional comments, and names in any case', () => {
    expect(nodeOf(parsed, 'database:shop')).toMatchObject({
      name: 'Shop',
      properties: { character_set: 'utf8mb4', collation: 'utf8mb4_bin' },
    })
    expect(nodeOf(parsed, 'table:shop.customer')).toMatchObject({ name: 'Customer', qualifiedName: 'Shop.Customer' })
  })

  it('reads types in full', () => {
    expect(typesOf(parsed, 'shop.customer')).toEqual({
      id: 'int(10) unsigned',
      näme: 'varchar(255)',
      status: "enum('new','it''s, (ok)','gone')",
      flags: "set('a','b')",
      price: 'decimal(10,2) unsigned zerofill',
      full_name: 'varchar(300)',
      touched: 'timestamp(3)',
      data: 'json',
      key: 'bigint',
    })
    expect(column('customer.id')).toEqual({
      data_type: 'int(10) unsigned',
      type_tree: { name: 'int', arguments: [10] },
      canonical_type: 'number',
      ordinal: 1,
      nullable: false,
      comment: 'the key; really',
      is_primary_key: true,
      unsigned: true,
      auto_increment: true,
    })
    expect(column('customer.näme')).toMatchObject({
      default: "it's 'none'",
      character_set: 'latin1',
      collation: 'latin1_bin',
      nullable: false,
    })
    expect(column('customer.status')).not.toHaveProperty('default')
    expect(column('customer.full_name')).toMatchObject({ generated: "concat(`näme`,' ',`status`)" })
    expect(column('customer.touched')).toMatchObject({
      default: 'CURRENT_TIMESTAMP(3)',
      on_update: 'CURRENT_TIMESTAMP(3)',
      nullable: false,
    })
    expect(column('customer.data')).toMatchObject({ check: 'json_valid(`data`)', canonical_type: 'object' })
    expect(column('customer.key')).toMatchObject({ invisible: true, is_unique: true })
  })

  it('reads keys and options; what is data (AUTO_INCREMENT=4711) is none', () => {
    expect(nodeOf(parsed, 'table:shop.customer').properties).toEqual({
      table_type: 'base',
      engine: 'innodb',
      character_set: 'utf8mb4',
      collation: 'utf8mb4_bin',
      comment: 'Customers; of the shop',
      table_options: { max_rows: '1000' },
      primary_key: ['id'],
      uniques: [
        { name: 'by_name', columns: ['näme', 'status'] },
        { name: 'by_key', columns: ['key'] },
      ],
      indexes: [
        { name: 'by_prefix', columns: ['full_name'], unique: true },
        { name: 'by_price', columns: ['price'] },
        { name: 'words', columns: ['full_name'], method: 'fulltext' },
      ],
      checks: [{ name: 'positive', expression: '(`price` >= 0)' }],
      column_count: 9,
    })
  })

  it('applies every ALTER in order', () => {
    expect(typesOf(parsed, 'shop.old')).toEqual({
      first_one: 'tinyint(1)',
      old_id: 'int(8)',
      after_id: 'datetime',
      title: 'varchar(255)',
      amount: 'decimal(12,4)',
      share: 'float',
      made: 'year(4)',
      customer: 'int unsigned',
      note: 'text',
    })
    expect(columnsOf(parsed, 'shop.old')).toEqual('first_one old_id after_id title amount share made customer note'.split(' '))
    expect(column('old.made')).toMatchObject({ ordinal: 7 })
    expect(column('old.note')).toMatchObject({ default: 'none' })
    expect(column('old.title')).toMatchObject({ collation: 'binary' })
    expect(nodeOf(parsed, 'table:shop.old').properties).toMatchObject({
      comment: 'formerly current',
      engine: 'myisam',
      primary_key: ['old_id'],
    })
    expect(nodeOf(parsed, 'table:shop.old').properties['indexes']).toEqual([
      { columns: ['customer', 'title'] },
      { name: 'by_note', columns: ['note'] },
    ])
  })

  it('renames with prefixes in comments, copies with LIKE, drops what it did not make', () => {
    expect(nodeOf(parsed, 'table:shop.account').properties).toMatchObject({
      renamed_from: 'shop.user',
      uniques: [{ name: 'by_group', columns: ['group'] }],
    })
    expect(nodeOf(parsed, 'table:shop.account_copy').properties).toMatchObject({ table_type: 'temporary', primary_key: ['user_id'] })
    expect(removalsOf(parsed)).toEqual(['table:shop.user', 'table:shop.copy', 'table:nothing.here'])
  })

  it('ties foreign keys across databases, and follows the views of a dump', () => {
    expect(edgesOf(parsed, 'REFERENCES')).toEqual([
      'column:other.things.owner -> column:shop.customer.id',
      'column:shop.old.customer -> column:shop.customer.id',
      'table:other.things -> table:shop.customer',
      'table:shop.old -> table:shop.customer',
    ])
    // REFERENCES behind a column is parsed and ignored by MySQL
    expect(edgeOf(parsed, 'table:shop.old', 'REFERENCES', 'table:shop.customer').properties).toMatchObject({ enforced: false })
    expect(edgesOf(parsed, 'DATA_FLOW')).toEqual([
      'column:shop.customer.id -> column:shop.rich.id',
      'column:shop.old.ratio -> column:shop.rich.total',
      'table:shop.customer -> view:shop.rich',
      'table:shop.old -> view:shop.rich',
    ])
  })
})

describe('PostgreSQL', async () => {
  const parsed = await parse('postgres', fixture('postgres'))

  it('passes over rows of COPY, functions in dollar quotes and the like', () => {
    expect(notable(parsed)).toEqual([['ddl-syntax', 'test.sql:78:27']])
    expect(has(parsed, 'table:crm.not_mine') || has(parsed, 'table:crm.nope')).toBe(false)
  })

  it('keeps quoted names apart, and folds the others', () => {
    expect(nodeOf(parsed, 'table:crm.customer').name).toBe('customer')
    expect(columnsOf(parsed, 'crm.Mixed')).toEqual(['Id', 'id'])
    expect(columnsOf(parsed, 'crm.mixed')).toEqual(['note'])
  })

  it('knows enumerations, domains, arrays and zones', () => {
    expect(typesOf(parsed, 'crm.customer')).toMatchObject({
      'Full Name': 'character varying(255)',
      mood: 'crm.mood',
      mail: 'crm.email',
      tags: 'array<text>',
      seen: 'timestamp(3) with time zone',
      opened: 'timestamp without time zone',
      took: 'interval day to second',
      price: 'double precision',
    })
    expect(nodeOf(parsed, 'column:crm.customer.mood').properties).toMatchObject({ canonical_type: 'string', nullable: false })
    expect(nodeOf(parsed, 'column:crm.customer.id').properties).toMatchObject({ identity: 'always', is_primary_key: true, nullable: false })
    expect(nodeOf(parsed, 'column:crm.customer.Full Name').properties).toMatchObject({ comment: 'first\nand last' })
  })

  it('reads partitions, LIKE in its place, and inheritance', () => {
    expect(columnsOf(parsed, 'crm.orders_2024')).toEqual(['id', 'customer_id', 'line', 'placed'])
    expect(columnsOf(parsed, 'crm.archive')).toEqual(['id', 'customer_id', 'line', 'placed', 'archived_at'])
    // what its parent gains later, it gains too
    expect(columnsOf(parsed, 'public.best').slice(-2)).toEqual(['level', 'note'])
    expect(nodeOf(parsed, 'table:public.best').properties).toMatchObject({ inherits: ['crm.customer'] })
  })

  it('takes the primary key where REFERENCES names no column, and keeps actions', () => {
    expect(edgesOf(parsed, 'REFERENCES')).toContain('column:crm.customer.referrer -> column:crm.customer.id')
    expect(edgeOf(parsed, 'table:crm.orders', 'REFERENCES', 'table:crm.customer')).toMatchObject({
      discriminator: 'orders_customer',
      properties: { on_update: 'cascade', on_delete: 'set null', enforced: true },
    })
  })

  it('follows queries through casts and quoted names; of what it cannot read it tells the tables', () => {
    expect(edgeOf(parsed, 'column:crm.customer.Full Name', 'DATA_FLOW', 'column:crm.spent.name').properties).toMatchObject({
      transformation: 'copy',
    })
    expect(edgeOf(parsed, 'column:crm.orders.line', 'DATA_FLOW', 'column:crm.spent.lines').properties).toMatchObject({
      transformation: 'aggregate',
    })
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('table:crm.orders -> view:crm.hard')
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('column:crm.orders.id -> column:crm.archive.id')
  })
})

describe('Spark', async () => {
  const parsed = await parse('spark', fixture('spark'))

  it('reads formats, partitions of both kinds, nested types and ALTERs', () => {
    expect(notable(parsed)).toEqual([])
    expect(typesOf(parsed, 'lake.events')).toEqual({
      id: 'bigint',
      kind: 'string',
      remark: 'string',
      place: 'struct<city:string,geo:struct<lat:double,lon:double>>',
      at: 'timestamp_ntz',
      day: 'date',
      amount: 'decimal(20,4)',
    })
    expect(nodeOf(parsed, 'table:lake.events').properties).toMatchObject({
      stored_as: 'delta',
      partitioned_by: ['day', 'bucket(16, id)'],
      table_properties: { compression: 'zstd', mergeSchema: 'true', 'delta.appendOnly': 'false', x: 'y' },
      primary_key: ['id'],
    })
    expect(nodeOf(parsed, 'column:lake.events.day').properties).toMatchObject({ is_partition: true, generated: 'CAST(at AS DATE)' })
    expect(columnsOf(parsed, 'lake.old_style')).toEqual(['a', 'country', 'year'])
    expect(nodeOf(parsed, 'table:lake.old_style').properties).toMatchObject({ bucket_count: 8, clustered_by: ['a'] })
  })

  it('puts the catalog into the name of the database, in DDL and in queries alike', () => {
    expect(has(parsed, 'table:`catalog1.db1`.far')).toBe(true)
    const open = parsed.facts.filter((f) => f.fact === 'edge' && f.label === 'READS')
    expect(open).toMatchObject([{ properties: { unresolved: { table_name: '`catalog1.lake2`.events' } } }])
    expect(edgeOf(parsed, 'column:lake.events.amount', 'DATA_FLOW', 'column:lake.totals.total').properties).toMatchObject({
      transformation: 'aggregate',
    })
  })
})

describe('Trino', async () => {
  const parsed = await parse('trino', fixture('trino'))
  const views = '`hive.web`.page_views'

  it('reads types in parentheses, LIKE among the columns, and properties', () => {
    expect(notable(parsed)).toEqual([])
    expect(typesOf(parsed, views)).toEqual({
      view_time: 'timestamp(3) with time zone',
      user_id: 'decimal(20,0)',
      'page url': 'varchar(2048)',
      tags: 'array<varchar>',
      counts: 'map<varchar,array<integer>>',
      place: 'row<city:varchar,geo:row<lat:double,lon:double>>',
      took: 'interval day to second',
      ds: 'date',
      other_id: 'bigint',
      other_name: 'varchar',
      postcode: 'varchar',
    })
    expect(nodeOf(parsed, `table:${views}`).properties).toMatchObject({
      comment: 'views of pages',
      table_properties: { format: 'PARQUET', partitioned_by: "ARRAY['ds', 'country']", bucket_count: '10' },
    })
    expect(nodeOf(parsed, `column:${views}.user_id`).properties).toMatchObject({ comment: 'who it was' })
    // its partition columns are named among the properties
    expect(nodeOf(parsed, `column:${views}.ds`).properties['is_partition']).toBe(true)
    expect(nodeOf(parsed, `column:${views}.user_id`).properties['is_partition']).not.toBe(true)
  })

  it('follows queries', () => {
    expect(edgeOf(parsed, `column:${views}.page url`, 'DATA_FLOW', 'column:`hive.web`.recent.url').properties).toMatchObject({
      transformation: 'cast',
    })
    expect(nodeOf(parsed, 'table:`hive.web`.per_day').properties).toMatchObject({ renamed_from: '`hive.web`.orders_by_date' })
  })
})

describe('Flink', async () => {
  const parsed = await parse('flink', fixture('flink'))

  it('reads computed and metadata columns, watermarks, connectors and ALTERs', () => {
    expect(notable(parsed)).toEqual([])
    expect(columnsOf(parsed, 'default.orders')).toEqual('user product remark amount cost item bag ts ltz offset proc'.split(' '))
    const column = (name: string) => nodeOf(parsed, `column:default.orders.${name}`).properties
    expect(column('cost')).toEqual({ generated: 'amount * 2', comment: 'computed', nullable: true, ordinal: 5, is_partition: false })
    expect(column('ltz')).toMatchObject({ data_type: 'timestamp_ltz(3)', metadata: 'timestamp', virtual: true })
    expect(column('item')).toMatchObject({ data_type: 'row<name:string,sizes:array<int>>', canonical_type: 'object' })
    expect(column('user')).not.toHaveProperty('is_primary_key')
    expect(column('product')).toMatchObject({ is_primary_key: true, is_partition: true, nullable: false })
    expect(nodeOf(parsed, 'table:default.orders').properties).toMatchObject({
      watermarks: [{ column: 'ts', expression: "ts - INTERVAL '5' SECOND" }],
      table_properties: { connector: 'kafka', topic: 'all' },
      comment: 'orders as they come',
    })
  })

  it('reads views, CTAS and the INSERTs of a statement set', () => {
    expect(edgesOf(parsed, 'DATA_FLOW')).toEqual([
      'column:default.orders.amount -> column:default.big.much',
      'column:default.orders.amount -> column:default.totals.total',
      // into the first column of a table that another file makes
      'column:default.orders.product -> ',
      'column:default.orders.product -> column:default.totals.product',
      'column:default.orders.user -> column:default.big.who',
      'table:default.orders -> table:default.totals',
      'table:default.orders -> view:default.big',
    ])
    expect(edgesOf(parsed, 'READS').map((e) => e.split(' -> ')[1])).toEqual(['table:default.orders', 'table:default.orders'])
  })
})

describe('a script that is not as it should be', () => {
  it('loses one statement, not the file', async () => {
    const parsed = await parse(
      'mysql',
      "create table a (x int);\ncreate table b (y varchar(10) default 'oops);\ncreate table c (z int);\ncreate table d (w int);",
    )
    expect(errorsOf(parsed)).toMatchObject([{ code: 'ddl-syntax', where: 'test.sql:2:39', found: 'a quote that is never closed' }])
    expect(['a', 'b', 'c', 'd'].filter((t) => has(parsed, `table:default.${t}`))).toEqual(['a', 'c', 'd'])
  })

  it('needs no semicolons between definitions', async () => {
    const parsed = await parse('mysql', 'create table a (x int)\ncreate table b (\n y int\n)\n\ncreate view v as select x from a')
    expect(errorsOf(parsed)).toEqual([])
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('column:default.a.x -> column:default.v.x')
  })

  it('loses one column, not its table', async () => {
    const parsed = await parse('mysql', 'create table a (x int, (y int), z int comment, w int)')
    expect(codesOf(parsed)).toEqual(['ddl-syntax', 'ddl-syntax'])
    expect(columnsOf(parsed, 'default.a')).toEqual(['x', 'w'])
  })

  it('may be cut off in the middle', async () => {
    const parsed = await parse('postgres', 'create table a (x int);\ncreate table b (y int, z charac')
    expect(errorsOf(parsed)).toMatchObject([
      { where: 'test.sql:2:32', expected: expect.stringContaining('")" (the statement from line 2 on') },
    ])
    expect(has(parsed, 'table:public.a')).toBe(true)
  })

  it('is told by name where a variable has no value', async () => {
    const text = 'create table ${DB}.a (x int);\ncreate table b (y int)'
    expect((await parse('spark', text)).problems).toMatchObject([
      { code: 'unset-variable', where: 'test.sql:1:14', found: '${DB} without a value' },
    ])
    expect(has(await parse('spark', text, { variables: { DB: 'Core' } }), 'table:core.a')).toBe(true)
  })

  it('suggests the word that was meant', async () => {
    expect((await parse('trino', 'dorp table x')).problems).toMatchObject([{ code: 'ddl-syntax', suggestion: 'Did you mean DROP?' }])
  })

  it('takes away columns of tables that other files made', async () => {
    const parsed = await parse('mysql', 'alter table crm.a add b int not null, drop c, change d e bigint')
    expect(removalsOf(parsed)).toEqual(['column:crm.a.c', 'column:crm.a.d'])
    expect(nodeOf(parsed, 'column:crm.a.b')).toMatchObject({ partial: true, properties: { data_type: 'int', nullable: false } })
    expect(nodeOf(parsed, 'table:crm.a')).toMatchObject({ partial: true })
  })
})

describe('whatever is cut out of a script', () => {
  it.each(['mysql', 'postgres', 'spark', 'trino', 'flink'])(
    '%s: its reader never fails, and says nothing that does not hold together',
    async (name) => {
      const text = fixture(name)
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(text.length), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 4 }),
          async (cuts) => {
            const rest = cuts.reduce((all, [at, length]) => all.slice(0, at) + all.slice(at + length), text)
            const parsed = await parse(name, rest)
            // a shape that nobody foresaw would be told so
            expect(codesOf(parsed)).not.toContain('ddl-unread')
            const ids = parsed.facts.flatMap((f) => (f.fact === 'node' ? [f.id] : []))
            expect(new Set(ids).size).toBe(ids.length)
            const known = new Set(ids)
            for (const f of parsed.facts)
              if (f.fact === 'edge' && f.label === 'HAS_COLUMN') expect(known.has(f.sourceId) && known.has(f.targetId)).toBe(true)
          },
        ),
        { numRuns: Number(process.env['ESPALIER_RUNS'] ?? 150) },
      )
    },
  )
})

describe('size does not matter', () => {
  it('a stray quote in each of 2,000 statements costs no more than the statements', async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `create table t${i} (a int default 'x, b varchar(100) not null);\n`).join('')
    const parsed = await parse('mysql', text)
    expect(errorsOf(parsed).length).toBeGreaterThan(0)
  })

  it('reads 3,000 columns and a dump of 20 MB of rows in seconds', async () => {
    const wide = `create table wide (${Array.from({ length: 3000 }, (_, i) => `c${i} int unsigned not null default '${i}'`).join(',\n')});\n`
    const rows = `insert into wide values ${Array.from({ length: 1000 }, (_, i) => `(${i},'it''s \\'quoted\\'; create table x (a int);')`).join(',')};\n`
    const parsed = await parse('mysql', wide + rows.repeat(400) + wide.replace('wide', 'wider'))
    expect(errorsOf(parsed)).toEqual([])
    expect(columnsOf(parsed, 'default.wider')).toHaveLength(3000)
  })
})

describeIf(sharedData, 'the shared data folder is absent', 'real files are told apart', () => {
  it('the DDL of TPC-DS is Hive, every version of the two histories is MySQL', () => {
    const under = (folder: string) => fs.readdirSync(path.join(sharedData!, folder)).map((f) => path.join(sharedData!, folder, f))
    const dialectOf = (file: string) => detectDialect('x.sql', fs.readFileSync(file, 'utf8').slice(0, 4000))
    expect(new Set([...under('hive/ddl-tpcds/text'), ...under('hive/ddl-tpcds/bin_partitioned')].map(dialectOf))).toEqual(
      new Set(['hive-ddl']),
    )
    expect(new Set([...under('schema-history/mediawiki'), ...under('schema-history/coppermine')].map(dialectOf))).toEqual(
      new Set(['mysql-ddl']),
    )
  })
})

describe('dialects are told apart', () => {
  it.each([
    ['mysql', 'mysql-ddl'],
    ['postgres', 'postgres-ddl'],
    ['spark', 'spark-ddl'],
    ['trino', 'trino-ddl'],
    ['flink', 'flink-ddl'],
  ])('%s', (name, dialect) => {
    expect(detectDialect('x.sql', fixture(name).slice(0, 4000))).toBe(dialect)
  })

  it('by their words, not by what comments say', () => {
    expect(detectDialect('x.sql', "create table t (a int comment 'owner to :: bob') -- unsigned\nstored as orc")).toBe('hive-ddl')
    expect(detectDialect('x.sql', 'create table t (a int unsigned)')).toBe('mysql-ddl')
    expect(detectDialect('x.sql', 'create table t (a tinyint, b serial) stored as orc')).toBe('hive-ddl')
    expect(detectDialect('x.sql', 'create table t (a tinyint)')).toBe('hive-ddl')
    expect(detectDialect('x.hql', 'create table t (a int unsigned)')).toBe('hive-ddl')
  })
})
