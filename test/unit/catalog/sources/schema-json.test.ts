import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSource } from '../../../../src/catalog/sources/index.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { bank, columnsOf, edgesOf, nodeOf } from './support.js'

const parse = (value: unknown) =>
  parseSource('schema-json', typeof value === 'string' ? value : JSON.stringify(value), { ...bank, file: 't.json' })
const shop = {
  db_id: 'Shop',
  table_names_original: ['Customers', 'orders'],
  column_names_original: [
    [-1, '*'],
    [0, 'ID'],
    [0, 'Full Name'],
    [1, 'id'],
    [1, 'line'],
    [1, 'customer'],
  ],
  column_types: ['text', 'number', 'text', 'number', 'number', 'number'],
  primary_keys: [1, [3, 4]],
  foreign_keys: [[5, 1]],
}

describe('schema JSON', () => {
  it('reads tables, columns with types, and keys', async () => {
    const parsed = await parse([shop])
    expect(parsed.problems).toEqual([])
    expect(nodeOf(parsed, 'database:shop').name).toBe('Shop')
    expect(columnsOf(parsed, 'shop.customers')).toEqual(['id', 'full name'])
    expect(nodeOf(parsed, 'column:shop.customers.id')).toMatchObject({
      name: 'ID',
      properties: { data_type: 'number', canonical_type: 'number', ordinal: 1, is_primary_key: true },
    })
    expect(nodeOf(parsed, 'table:shop.orders').properties).toMatchObject({ primary_key: ['id', 'line'], column_count: 3 })
    expect(edgesOf(parsed, 'REFERENCES')).toEqual([
      'column:shop.orders.customer -> column:shop.customers.id',
      'table:shop.orders -> table:shop.customers',
    ])
  })

  it('tells what does not fit, and reads the rest', async () => {
    const bad = {
      ...shop,
      db_id: 'bad',
      foreign_keys: [[5, 99], 'x'],
      primary_keys: [77],
      column_names_original: [...shop.column_names_original, [9, 'lost']],
    }
    const parsed = await parse([{ db_id: 'none' }, bad, shop])
    expect(parsed.problems.map((p) => p.found)).toEqual([
      'database 1: {"db_id":"none"}',
      'database 2: column "lost" of table number 9',
      'database 2: primary key 77',
      'database 2: foreign key [5,99]',
      'database 2: foreign key "x"',
    ])
    expect(columnsOf(parsed, 'bad.orders')).toHaveLength(3)
    expect(columnsOf(parsed, 'shop.orders')).toHaveLength(3)
  })

  it('is not JSON', async () => {
    expect((await parse('[{')).problems).toMatchObject([{ code: 'schema-json', where: 't.json' }])
  })
})

describeIf(sharedData, 'the shared data folder is absent', '83 public databases (Spider)', () => {
  it('are read whole, as counted independently', async () => {
    const text = fs.readFileSync(path.join(sharedData!, 'spider/tables.json'), 'utf8')
    const { facts, problems } = await parse(text)
    expect(problems).toEqual([])
    const databases = JSON.parse(text) as Record<string, unknown[]>[]
    const total = (key: string) => databases.reduce((sum, d) => sum + d[key]!.length, 0)
    const nodes = (kind: string) => facts.filter((f) => f.fact === 'node' && f.kind === kind)
    expect(nodes('Database')).toHaveLength(83)
    expect(nodes('Table')).toHaveLength(total('table_names_original'))
    // all but the `*` of each database
    expect(nodes('Column')).toHaveLength(total('column_names_original') - 83)
    expect(nodes('Column').filter((f) => f.fact === 'node' && f.properties['is_primary_key'])).toHaveLength(total('primary_keys'))
    const references = facts.filter((f) => f.fact === 'edge' && f.label === 'REFERENCES' && f.sourceId.includes('/column:'))
    expect(references).toHaveLength(total('foreign_keys'))
  })
})
