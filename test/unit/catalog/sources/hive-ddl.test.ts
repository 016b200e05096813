import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { HiveSQL } from '#dt-sql-parser'
import { rules } from '../../../../src/catalog/lineage/hive-tree.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { codesOf, columnsOf, edgeOf, edgesOf, errorsOf, has, nodeOf, parseHive, removalsOf } from './support.js'

const sink = fs.readFileSync(path.join(import.meta.dirname, '../fixtures/kitchen-sink.sql'), 'utf8')

it('names only rules that the grammar has', () => {
  const known = new Set(new HiveSQL().createParser('').ruleNames)
  expect(rules.filter((r) => !known.has(r))).toEqual([])
})

describe('the kitchen sink', async () => {
  const parsed = await parseHive(sink, { variables: { DB: 'Sink' } })

  it('has one broken statement, told with its place, and reads all the others', () => {
    expect(errorsOf(parsed)).toMatchObject([{ code: 'ddl-syntax', where: 'test.sql:8:3' }])
    expect(parsed.problems.filter((p) => p.severity === 'info').map((p) => p.found.split(' ')[0])).toEqual(['alter', 'analyze', 'grant'])
    expect(codesOf(parsed).filter((c) => c !== 'ignored-statement' && c !== 'ddl-syntax')).toEqual([])
  })

  it('folds ids and keeps spelling', () => {
    expect(nodeOf(parsed, 'database:sink')).toMatchObject({
      name: 'Sink',
      properties: { comment: 'The sink; with a semicolon', location: '/w/sink.db', database_properties: { owner: 'ops' } },
    })
    expect(nodeOf(parsed, 'table:sink.account')).toMatchObject({ name: 'Account', qualifiedName: 'Sink.Account' })
    expect(edgesOf(parsed, 'CONTAINS')).toContain('database:sink -> table:sink.account')
  })

  it('reads what a table says of itself', () => {
    expect(nodeOf(parsed, 'table:sink.account')).toMatchObject({
      observedAt: new Date('2023-11-14T22:13:20Z'),
      properties: {
        table_type: 'external',
        comment: 'Accounts',
        stored_as: 'orc',
        serde: 'org.apache.hadoop.hive.ql.io.orc.OrcSerde',
        location: '/w/Sink/account',
        table_properties: { 'orc.compress': 'ZLIB' },
        partitioned_by: ['load_date', 'region'],
        clustered_by: ['account_id'],
        sorted_by: ['account_id ASC'],
        bucket_count: 16,
        primary_key: ['account_id'],
        checks: [{ name: 'positive', expression: 'balance > 0' }],
        column_count: 13,
      },
    })
  })

  it('reads columns with types, constraints and partitions, in order', () => {
    expect(columnsOf(parsed, 'sink.account')).toEqual([
      'account_id',
      'näme',
      'ccy',
      'balance',
      'opened_by',
      'rating',
      'email',
      'tags',
      'attributes',
      'address',
      'choice',
      'load_date',
      'region',
    ])
    const column = (name: string) => nodeOf(parsed, `column:sink.account.${name}`).properties
    expect(column('account_id')).toEqual({
      data_type: 'bigint',
      type_tree: { name: 'bigint' },
      canonical_type: 'number',
      ordinal: 1,
      nullable: false,
      is_partition: false,
      comment: "It's the key; really",
      is_primary_key: true,
    })
    expect(column('näme')).toMatchObject({ data_type: 'varchar(20)', comment: 'Name -- not a comment', nullable: true })
    expect(column('balance')).toMatchObject({ data_type: 'decimal(18,2)', default: '0.0', ordinal: 4 })
    expect(column('rating')).toMatchObject({ check: 'rating between 1 and 18' })
    expect(column('email')).toMatchObject({ is_unique: true })
    expect(column('attributes')).toMatchObject({ data_type: 'map<string,array<int>>', canonical_type: 'object' })
    expect(column('address')).toMatchObject({
      data_type: 'struct<street:string,geo:struct<lat:double,lon:double>>',
      type_tree: { name: 'struct', fields: [{ name: 'street', comment: 'Street' }, { name: 'geo' }] },
    })
    expect(column('choice')).not.toHaveProperty('canonical_type')
    expect(column('region')).toMatchObject({ is_partition: true, ordinal: 13, data_type: 'string' })
    expect(has(parsed, 'column:sink.account.street')).toBe(false)
  })

  it('declares foreign keys between columns and between tables, by the name of the constraint', () => {
    expect(edgesOf(parsed, 'REFERENCES')).toEqual([
      'column:sink.account.ccy -> column:sink.currency.iso_code',
      'column:sink.account.opened_by -> column:hr.employee.employee_id',
      'column:sink.movement.account_id -> column:sink.account.account_id',
      'table:sink.account -> table:hr.employee',
      'table:sink.account -> table:sink.currency',
      'table:sink.movement -> table:sink.account',
    ])
    expect(edgeOf(parsed, 'table:sink.account', 'REFERENCES', 'table:hr.employee')).toMatchObject({
      discriminator: 'fk_opened_by',
      properties: { columns: ['opened_by'], referenced_columns: ['employee_id'], enforced: false, rely: false },
    })
    // a key without a name is told by its columns
    expect(edgeOf(parsed, 'column:sink.account.ccy', 'REFERENCES', 'column:sink.currency.iso_code').discriminator).toBe('ccy')
    expect(edgeOf(parsed, 'column:sink.movement.account_id', 'REFERENCES', 'column:sink.account.account_id').properties).toMatchObject({
      rely: true,
    })
  })

  it('applies LIKE and ALTER in order', () => {
    expect(columnsOf(parsed, 'sink.movement')).toEqual(['account_id', 'booked_on', 'booked_amount', 'channel'])
    expect(nodeOf(parsed, 'column:sink.movement.booked_amount').properties).toMatchObject({
      data_type: 'decimal(18,2)',
      comment: 'Signed',
      ordinal: 3,
    })
  })

  it('takes away only what was not made again', () => {
    expect(removalsOf(parsed)).toEqual(['table:sink.old_things', 'view:sink.old_view'])
  })

  it('traces the view column by column, through its CTE', () => {
    expect(columnsOf(parsed, 'sink.account_view')).toEqual(['id', 'label', 'total', 'state', 'ranked', 'since', 'fixed'])
    const into = (column: string) =>
      parsed.facts.flatMap((f) =>
        f.fact === 'edge' && f.label === 'DATA_FLOW' && f.targetId === `bank/dwh/column:sink.account_view.${column}`
          ? [`${f.sourceId.split(':')[1]} ${f.properties['transformation']}`]
          : [],
      )
    expect(into('id')).toEqual(['sink.account.account_id copy'])
    expect(into('label')).toEqual(['sink.account.näme expression', 'sink.currency.iso_code expression'])
    expect(into('total')).toEqual(['sink.movement.booked_amount aggregate'])
    expect(into('state')).toEqual(['sink.account.balance conditional'])
    expect(into('ranked')).toEqual(['sink.account.ccy window', 'sink.account.balance window'])
    expect(into('since')).toEqual(['sink.movement.booked_on cast'])
    expect(into('fixed')).toEqual([])
  })

  it('keeps joins, filters and how much of the view is known', () => {
    const { properties } = nodeOf(parsed, 'view:sink.account_view')
    expect(properties).toMatchObject({
      comment: 'A view',
      join_count: 2,
      joins: [
        { type: 'inner', with: 'currency', on: 'a.ccy = c.iso_code' },
        { type: 'left outer', with: 'recent', on: 'r.account_id = a.account_id' },
      ],
      filters: ["m.booked_on > '2020-01-01'", 'a.rating > 3'],
      information_loss: 0.1429,
      type_coverage: 1,
    })
    const types = ['id', 'label', 'total', 'state', 'ranked', 'since', 'fixed'].map(
      (c) => nodeOf(parsed, `column:sink.account_view.${c}`).properties['data_type'],
    )
    expect(types).toEqual(['bigint', 'string', 'decimal(28,2)', 'string', 'int', 'string', 'int'])
    expect(nodeOf(parsed, 'column:sink.account_view.id').properties['comment']).toBe('The key')
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('table:sink.movement -> view:sink.account_view')
  })

  it('gives CTAS its columns and types, and INSERT its flow', () => {
    expect(columnsOf(parsed, 'sink.booking')).toEqual(['account_id', 'amount', 'booked_on'])
    expect(edgesOf(parsed, 'DATA_FLOW')).toEqual(
      expect.arrayContaining([
        'column:sink.staging.amount -> column:sink.booking.amount',
        'table:sink.staging -> table:sink.booking',
        'column:sink.staging.amount -> column:sink.movement.booked_amount',
        'table:sink.staging -> table:sink.movement',
      ]),
    )
    expect(edgesOf(parsed, 'WRITES')).toEqual([expect.stringMatching(/^query:insert-[0-9a-f]{12} -> table:sink.movement$/)])
  })

  it('says where each fact was read', () => {
    expect(nodeOf(parsed, 'table:sink.account').provenance).toEqual({ dialect: 'hive-ddl', file: 'test.sql', location: 'line 11' })
    expect(nodeOf(parsed, 'column:sink.account.ccy').provenance.location).toBe('line 14')
  })

  it('is the same facts for the same text', async () => {
    expect(await parseHive(sink, { variables: { DB: 'Sink' } })).toEqual(parsed)
  })
})

describe('a bad statement', () => {
  it.each([
    ['in the middle', 'create table a (x int);\ncreate tabel b (y int);\ncreate table c (z int);', 'test.sql:2:8'],
    [
      'with a quote too many',
      "create table a (x int);\ncreate table b (y int comment 'it's gone');\ncreate table c (z int);",
      'test.sql:2:41',
    ],
    ['that is cut off', 'create table a (x int);\ncreate table c (z int);\ncreate table b (y int, z', 'test.sql:3:25'],
    ['with its comment open', 'create table a (x int);create table c (z int);\n/* never closed', null],
  ])('%s never loses the file', async (_, text, where) => {
    const parsed = await parseHive(text)
    expect(edgesOf(parsed, 'HAS_COLUMN')).toEqual(['table:default.a -> column:default.a.x', 'table:default.c -> column:default.c.z'])
    expect(errorsOf(parsed).map((p) => p.where)).toEqual(where === null ? [] : [where])
  })

  it('in a dump without semicolons costs only itself', async () => {
    const dump = (bad: string) =>
      `CREATE TABLE \`a\`(\n  \`x\` int)\nCREATE EXTERNAL TABLE \`b\`(\n  ${bad})\nCOMMENT 'x\ncreate table no'\nCREATE VIEW c AS SELECT x FROM a\n`
    expect(errorsOf(await parseHive(dump('y int')))).toEqual([])
    const parsed = await parseHive(dump('y itn(('))
    expect(errorsOf(parsed).map((p) => p.where)).toEqual(['test.sql:4:5'])
    expect(edgesOf(parsed, 'HAS_COLUMN')).toEqual(['table:default.a -> column:default.a.x', 'view:default.c -> column:default.c.x'])
  })

  it('that names an unset variable is passed over and names it', async () => {
    const parsed = await parseHive('use ${D};\ncreate table ${DATABASE}.a (x int);\ncreate table b (y int)', {
      variables: { DATABSE: 'x' },
    })
    expect(errorsOf(parsed)).toMatchObject([
      { code: 'unset-variable', where: 'test.sql:1:5', found: '${D} without a value' },
      { code: 'unset-variable', where: 'test.sql:2:14', suggestion: 'Did you mean "DATABSE"?' },
    ])
    expect(has(parsed, 'table:default.b')).toBe(true)
  })

  it('is placed right behind filled variables and wide characters', async () => {
    const parsed = await parseHive("create table `${A}😀` (x int comment '😀', y itn(, z int)", { variables: { A: 'a very long name' } })
    expect(errorsOf(parsed)[0]?.where).toBe(`test.sql:1:${"create table `${A}😀` (x int comment '😀', y ".length + 1}`)
  })
})

describe('names', () => {
  it('may be Unicode, hold dots and differ in case', async () => {
    const parsed = await parseHive('create table `Größe`.`a.b` (`x.y` int, `データ` string); create table GRÖSSE2.t (A int, `😀` int); ')
    expect(errorsOf(parsed)).toHaveLength(1)
    expect(nodeOf(parsed, 'column:größe.`a.b`.`x.y`')).toMatchObject({ name: 'x.y', qualifiedName: 'Größe.`a.b`.`x.y`' })
    expect(nodeOf(parsed, 'column:größe.`a.b`.データ').name).toBe('データ')
  })

  it('twice in a table are a problem, and the first counts', async () => {
    const parsed = await parseHive('create table t (a int, A string)')
    expect(codesOf(parsed)).toEqual(['duplicate-column'])
    expect(nodeOf(parsed, 'column:default.t.a').properties['data_type']).toBe('int')
  })
})

describe('ALTER of a table from another file', () => {
  it('says only what it says, as partial facts', async () => {
    const parsed = await parseHive(`
      alter table core.account add constraint pk primary key (account_id) disable novalidate;
      alter table core.account add constraint fk foreign key (ccy) references core.currency (iso_code) disable novalidate;
      alter table core.account add columns (note string comment 'New');
      alter table core.account change column old_name new_name bigint;
      alter table core.account rename to core.konto;`)
    expect(codesOf(parsed)).toEqual(['unknown-table'])
    expect(nodeOf(parsed, 'column:core.konto.new_name')).toMatchObject({ partial: true, properties: { data_type: 'bigint' } })
    expect(nodeOf(parsed, 'column:core.konto.account_id')).toMatchObject({ partial: true, properties: { is_primary_key: true } })
    expect(nodeOf(parsed, 'table:core.konto')).toMatchObject({ partial: true, properties: { renamed_from: 'core.account' } })
    expect(removalsOf(parsed)).toEqual(['table:core.account', 'column:core.account.old_name'])
  })

  it('takes a constraint away that was declared before, and warns of one that was not', async () => {
    const create = 'create table a (x int, y int, constraint fk foreign key (x) references b (z) disable novalidate);'
    expect(edgesOf(await parseHive(`${create} alter table a drop constraint fk;`), 'REFERENCES')).toEqual([])
    expect(codesOf(await parseHive(`${create} alter table a drop constraint fx;`))).toEqual(['unknown-constraint'])
  })

  it('replaces columns but not partitions', async () => {
    const parsed = await parseHive(
      'create table a (x int, y int) partitioned by (p date); alter table a replace columns (z string, x bigint)',
    )
    expect(columnsOf(parsed, 'default.a')).toEqual(['z', 'x', 'p'])
    expect(nodeOf(parsed, 'column:default.a.p').properties).toMatchObject({ ordinal: 3, is_partition: true })
  })
})

it('warns of keys over columns that are not there', async () => {
  const parsed = await parseHive(`
    create table b (id int);
    create table a (x int, constraint f1 foreign key (xx) references b (id) disable novalidate,
      constraint f2 foreign key (x) references b (ident) disable novalidate, constraint f3 foreign key (x) references c (y, z) disable novalidate)`)
  expect(parsed.problems.map((p) => [p.severity, p.code, p.suggestion])).toEqual([
    ['warning', 'unknown-column', 'Did you mean "x"?'],
    ['warning', 'unknown-column', undefined],
    ['warning', 'foreign-key-arity', undefined],
  ])
  expect(edgesOf(parsed, 'REFERENCES')).toEqual([])
})

describe('size', () => {
  const timePerColumn = async (columns: number): Promise<number> => {
    const text = `create table t (${Array.from({ length: columns }, (_, i) => `c${i} decimal(10,2) comment 'x'`).join(',\n')})`
    const start = performance.now()
    const parsed = await parseHive(text)
    expect(parsed.facts).toHaveLength(3 + 2 * columns)
    return (performance.now() - start) / columns
  }

  it('of a table does not make its columns slower', async () => {
    await timePerColumn(300)
    const narrow = await timePerColumn(300)
    expect(await timePerColumn(6000)).toBeLessThan(4 * narrow + 0.1)
  })

  it('of a SELECT line may be 40 kB', async () => {
    const items = Array.from({ length: 1200 }, (_, i) => `coalesce(t.col_${i}, 0) as out_${i}`).join(', ')
    const parsed = await parseHive(`create view v as select ${items} from base t`)
    expect(items.length).toBeGreaterThan(40_000)
    expect(errorsOf(parsed)).toEqual([])
    expect(edgeOf(parsed, 'column:default.base.col_77', 'DATA_FLOW', 'column:default.v.out_77').properties['transformation']).toBe(
      'conditional',
    )
  })

  it('of a text of pieces is no matter where they are cut', async () => {
    const { parseSource } = await import('../../../../src/catalog/sources/index.js')
    const pieces = (async function* () {
      for (let i = 0; i < sink.length; i += 7) yield sink.slice(i, i + 7)
    })()
    const context = { projectId: 'bank', systemId: 'dwh', file: 'test.sql', variables: { DB: 'Sink' } }
    expect(await parseSource('hive-ddl', pieces, context)).toEqual(await parseSource('hive-ddl', sink, context))
  })
})

describeIf(sharedData, 'no shared data beside the checkout', 'the real TPC-DS scripts', () => {
  const folder = path.join(sharedData ?? '', 'hive')
  const read = (file: string) => fs.readFileSync(path.join(folder, file), 'utf8')
  const variables = { DB: 'tpcds', LOCATION: '/data', SOURCE: 'tpcds_text', FILE: 'orc' }
  const files = ['ddl-tpcds/text', 'ddl-tpcds/bin_partitioned', 'queries-tpcds'].flatMap((f) =>
    fs.readdirSync(path.join(folder, f)).map((n) => `${f}/${n}`),
  )

  it.each(files)('%s parses without an error', async (file) => {
    expect(errorsOf(await parseHive(read(file), { variables }))).toEqual([])
  })

  it('define 24 tables with 425 columns, and 146 constraints over them', async () => {
    const text = `${read('ddl-tpcds/text/alltables.sql')};\nuse \${DB};\n${read('ddl-tpcds/bin_partitioned/add_constraints.sql')}`
    const parsed = await parseHive(text, { variables })
    expect(parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'Table')).toHaveLength(24)
    expect(parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'Column')).toHaveLength(425)
    const declared = read('ddl-tpcds/bin_partitioned/add_constraints.sql').match(/^alter table .* foreign key/gim)!
    const between = parsed.facts.filter((f) => f.fact === 'edge' && f.label === 'REFERENCES' && f.sourceId.includes('/table:'))
    expect(between).toHaveLength(declared.length)
    expect(edgesOf(parsed, 'REFERENCES')).toContain('column:tpcds.store_sales.ss_item_sk -> column:tpcds.item.i_item_sk')
  })

  it('leave SELECT * over another file open, with the table it is over', async () => {
    const parsed = await parseHive(read('ddl-tpcds/bin_partitioned/customer.sql'), { variables })
    const open = parsed.facts.find((f) => f.fact === 'edge' && f.sourceId === '' && f.properties['transformation'] === 'copy')
    expect(open).toMatchObject({
      targetId: 'bank/dwh/table:tpcds.customer',
      properties: { unresolved: { star: true, candidates: ['bank/dwh/table:tpcds_text.customer'] } },
    })
  })

  it('give both INSERTs of a multi-insert their source', async () => {
    const parsed = await parseHive(read('ddl-tpcds/bin_partitioned/store_sales.sql'), { variables })
    expect(edgesOf(parsed, 'WRITES')).toHaveLength(2)
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain('column:tpcds_text.store_sales.ss_quantity -> column:tpcds.store_sales.ss_quantity')
    expect(edgesOf(parsed, 'DATA_FLOW')).toContain(
      'column:tpcds_text.store_sales.ss_sold_date_sk -> column:tpcds.store_sales.ss_sold_date_sk',
    )
  })
})

it('says how names are written that Hive does not take as they are', async () => {
  const { problems } = await parseHive('create table t (naïve int);\ncreate table u (`naïve` int);')
  expect(problems).toMatchObject([
    { code: 'ddl-syntax', where: 'test.sql:1:19', suggestion: 'Put names with letters beyond ASCII into back-ticks.' },
  ])
})
