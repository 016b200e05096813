import { describe, expect, it } from 'vitest'
import { detectDialect, parseSource } from '../../../../src/catalog/sources/index.js'
import { batchText, columnFact, day, manifestFact, stamp } from '../glean/facts.js'

const context = { projectId: 'bank', systemId: 'hive', file: 'graph.json' }
const parse = (batch: unknown) => parseSource('glean-batch', typeof batch === 'string' ? batch : JSON.stringify(batch), context)
const group = (predicate: string, ...keys: object[]) => ({ predicate, facts: keys.map((key) => ({ key })) })

describe('a Glean batch', () => {
  it('becomes facts with the time that its manifest tells', async () => {
    const facts = [
      manifestFact({ entropy: 1, kl: 0, columns: 1, observedAt: day(1) }, stamp(day(9))),
      columnFact('a', 'int', stamp(day(9))),
    ]
    expect(await parse(await batchText(facts))).toEqual({
      facts: [
        {
          fact: 'node',
          id: 'bank/hive/column:core.t.a',
          kind: 'Column',
          name: 'a',
          qualifiedName: 'core.t.a',
          properties: { data_type: 'int' },
          provenance: { dialect: 'glean-batch', file: 'graph.json', location: '/1/facts/0' },
          observedAt: day(1),
        },
      ],
      problems: [],
    })
  })

  it('of other origin gets ids by its kinds, with either names of ends', async () => {
    const { facts, problems } = await parse([
      group(
        'other.ns.Node.1',
        { id: 'bank', kind: 'project' },
        { id: 't1', kind: 'table', label: 'T' },
        { id: 'column:a', kind: 'column', properties_json: '{"data_type":"int"}' },
      ),
      group(
        'other.ns.Edge.1',
        { source_id: 't1', target_id: 'column:a', label: 'has_column' },
        { source: 'bank', target: 't1', label: 'CONTAINS' },
      ),
    ])
    expect(problems).toEqual([])
    expect(facts).toMatchObject([
      { fact: 'node', id: 'bank/hive/table:t1', name: 'T', qualifiedName: 't1' },
      { fact: 'node', id: 'bank/hive/column:column:a', kind: 'Column', properties: { data_type: 'int' } },
      { fact: 'edge', sourceId: 'bank/hive/table:t1', label: 'HAS_COLUMN', targetId: 'bank/hive/column:column:a' },
      { fact: 'edge', sourceId: 'bank', label: 'CONTAINS', targetId: 'bank/hive/table:t1' },
    ])
    expect(facts[0]).not.toHaveProperty('observedAt')
  })

  it('tells each export apart that it holds', async () => {
    const exports = [1, 2].flatMap((n) => [
      manifestFact({ entropy: 1, kl: 0, columns: 1, observedAt: day(n) }, stamp(day(n + 10))),
      columnFact(`c${n}`, 'int', stamp(day(n + 10))),
    ])
    const { facts } = await parse(await batchText(exports))
    expect(facts.map((fact) => 'observedAt' in fact && fact.observedAt)).toEqual([day(1), day(2)])
  })

  it('loses nothing else for one bad fact', async () => {
    const { facts, problems } = await parse([
      group('x.Node.1', { kind: 'table' }, { id: 'w', kind: 'widget' }, { id: 't', kind: 'table' }),
      group('x.Edge.1', { source: 't' }, { source: 't', target: 'gone', label: 'READS' }),
      group('x.Node.2', { id: 'later' }),
    ])
    expect(facts).toHaveLength(1)
    expect(problems.map(({ code, severity, where }) => [code, severity, where])).toEqual([
      ['glean-node', 'error', 'graph.json:/0/facts/0'],
      ['unknown-kind', 'error', 'graph.json:/0/facts/1'],
      ['glean-edge', 'error', 'graph.json:/1/facts/0'],
      ['dangling-edge', 'warning', 'graph.json:/1/facts/1'],
      ['glean-predicate', 'info', 'graph.json'],
    ])
  })

  it('says what is wrong with a text that is none', async () => {
    for (const text of ['', '[{]', '{}', '[{"predicate": 1}]']) {
      const { facts, problems } = await parse(text)
      expect(facts).toEqual([])
      expect(problems).toMatchObject([{ code: 'glean-batch', severity: 'error', where: 'graph.json' }])
    }
  })

  it('is told from JSON tables by how it begins', () => {
    expect(detectDialect('graph_x.json', '[\n{"predicate":"agenticAiETH.ETL.ExportManifest.1","facts":[')).toBe('glean-batch')
    expect(detectDialect('facts.glean', ' [ { "facts": [{"key": {}}], "predicate": "x.Node.1" }')).toBe('glean-batch')
    expect(detectDialect('rows.json', '[{"predicate": 1, "facts": "none"}]')).toBe('json-table')
  })
})
