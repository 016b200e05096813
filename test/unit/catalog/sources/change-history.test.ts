import { describe, expect, it } from 'vitest'
import type { Fact, ParsedSource } from '../../../../src/catalog/fact.js'
import { changeHistoryJsonSchema } from '../../../../src/catalog/sources/change-history-format.js'
import { parseSource } from '../../../../src/catalog/sources/index.js'
import { bank, codesOf, nodeOf } from './support.js'

const file = 'json_with_changes.json'
const parse = (value: unknown): Promise<ParsedSource> =>
  parseSource('change-history', typeof value === 'string' ? value : JSON.stringify(value), { ...bank, file })

/** Columns in words: `name type`, `-name` for one that goes. */
const told = (facts: readonly Fact[]): string[] =>
  facts.flatMap((f) => {
    if (f.fact === 'removal') return [`-${f.id.split(':')[1]}`]
    if (f.fact !== 'node' || f.kind !== 'Column') return []
    const { data_type: type = '?', nullable } = f.properties
    return [`${f.qualifiedName} ${type}${nullable === false ? ' not null' : ''}`]
  })
const story = ({ moments = [], facts }: ParsedSource) => [
  ...moments.map(({ observedAt, facts: said }) => [observedAt.toISOString(), ...told(said)]),
  ['now', ...told(facts)],
]

const versioned = {
  format: 'espalier/change-history',
  version: 1,
  tables: [
    {
      database: 'core',
      name: 'Account',
      comment: 'accounts',
      columns: [
        {
          name: 'id',
          changes: [
            { at: '2024-03-01T00:00:00Z', status: 'modified', type: 'bigint', previousType: 'int', nullable: false },
            { at: '2024-01-01T00:00:00Z', status: 'added', type: 'int' },
          ],
        },
        { name: 'fax', changes: [{ at: '2024-03-01T02:00:00+02:00', status: 'removed', type: 'string' }] },
        { name: 'note', changes: [{ type: 'string' }] },
      ],
    },
  ],
}

describe('the versioned format', () => {
  it('tells of every moment, and of what stands after them', async () => {
    const parsed = await parse(versioned)
    expect(parsed.problems).toEqual([])
    expect(story(parsed)).toEqual([
      ['2024-01-01T00:00:00.000Z', 'core.Account.id int'],
      // what went away was there until then
      ['2024-02-29T23:59:59.999Z', 'core.Account.fax string'],
      ['2024-03-01T00:00:00.000Z', 'core.Account.id bigint not null', '-core.account.fax'],
      ['now', 'core.Account.id bigint not null', '-core.account.fax', 'core.Account.note string'],
    ])
    expect(nodeOf(parsed, 'table:core.account')).toMatchObject({ name: 'Account', partial: true, properties: { comment: 'accounts' } })
    expect(nodeOf(parsed, 'column:core.account.note').properties).toEqual({
      data_type: 'string',
      type_tree: { name: 'string' },
      canonical_type: 'string',
      ordinal: 3,
    })
  })

  it('says where a file breaks it', async () => {
    const parsed = await parse({
      ...versioned,
      version: 2,
      tables: [{ name: 'a', columns: [{ name: 'b', changes: [{ status: 'gone' }] }] }],
    })
    expect(parsed.facts).toEqual([])
    expect(parsed.problems.map((p) => p.where)).toEqual([`${file}/version`, `${file}/tables/0/columns/0/changes/0/status`])
  })

  it('has a JSON Schema', () => {
    expect(changeHistoryJsonSchema()).toMatchObject({ type: 'object', required: ['format', 'version', 'tables'] })
  })
})

describe('the loose shape', () => {
  const expected = [
    ['2024-01-31T23:59:59.999Z', 'crm.person.age int'],
    ['2024-02-01T00:00:00.000Z', 'crm.person.age bigint'],
    ['2024-03-01T12:00:00.000Z', 'crm.person.mail string not null'],
    ['now', 'crm.person.age bigint', 'crm.person.mail string not null', 'crm.person.name string'],
  ]
  const columns = {
    age: { data_type: 'bigint', previous_type: 'int', changed_at: '2024-02-01', status: 'modified' },
    mail: { type: 'string', nullable: 'NO', timestamp: '2024-03-01 12:00:00', status: 'added' },
    name: 'string',
  }
  const list = Object.entries(columns).map(([name, c]) => (typeof c === 'string' ? { name, type: c } : { name, ...c }))

  it.each([
    ['tables by name, columns by name', { tables: { 'crm.person': { columns } } }],
    ['tables in a list, columns in a list', { tables: [{ table_name: 'crm.person', columns: list }] }],
    ['under data, with schema for columns', { data: { person: { database: 'crm', schema: columns } } }],
    ['at the top, beside other things', { version: 3, generated_at: '2024-04-01', 'crm.person': { schema: list } }],
    ['a list at the top', [{ name: 'person', schema: 'crm', columns: list }]],
    ['data.tables', { data: { tables: [{ name: 'person', database: 'crm', columns }] } }],
  ])('%s', async (_, value) => {
    const parsed = await parse(value)
    expect(parsed.problems).toEqual([])
    expect(story(parsed)).toEqual(expected)
  })

  it('takes several entries of one column, epochs, and a list of changes', async () => {
    const parsed = await parse({
      tables: {
        t: {
          columns: [
            { name: 'a', type: 'int', timestamp: 1_700_000_000 },
            { name: 'a', type: 'bigint', timestamp: 1_710_000_000_000, status: 'modified', previous_type: 'int' },
            {
              name: 'b',
              history: [
                { type: 'date', timestamp: '1700000000' },
                { status: 'removed', changed_at: '2024-03-09T16:00:00Z' },
              ],
            },
          ],
        },
      },
    })
    expect(story(parsed)).toEqual([
      ['2023-11-14T22:13:20.000Z', 'default.t.a int', 'default.t.b date'],
      ['2024-03-09T16:00:00.000Z', 'default.t.a bigint', '-default.t.b'],
      ['now', 'default.t.a bigint', '-default.t.b'],
    ])
  })

  it('tells what it cannot read', async () => {
    const parsed = await parse({
      tables: { a: { rows: 3 }, b: { columns: { x: { type: 'int', status: 'exploded', changed_at: 'yesterday' }, y: 5 } } },
    })
    expect(parsed.problems.map((p) => [p.where, p.found])).toEqual([
      [`${file}/tables/a`, '{"rows":3}'],
      [`${file}/tables/b/x`, 'status "exploded"'],
      [`${file}/tables/b/x`, 'time "yesterday"'],
      [`${file}/tables/b/y`, '5'],
    ])
    expect(codesOf(await parse('nonsense'))).toEqual(['change-history'])
    expect(codesOf(await parse({ hello: 'world' }))).toEqual(['change-history'])
  })
})

it('a Control-M JSON in its place is read as one', async () => {
  const parsed = await parse({ Daily: { Type: 'Folder', load: { Type: 'Job:Command', Command: 'run.sh' } } })
  expect(parsed.facts.map((f) => (f.fact === 'node' ? f.kind : ''))).toEqual(expect.arrayContaining(['ControlMFolder', 'ControlMJob']))
})
