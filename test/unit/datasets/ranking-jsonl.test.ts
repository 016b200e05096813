import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRankingJsonl, readRankingJsonl } from '../../../src/datasets/formats/ranking-jsonl.js'
import { parseRankingRow, printRankingJsonl, printRankingLines, rankingRow } from '../../../src/datasets/formats/ranking-row.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'

const candidate = (more: object = {}) => ({
  node_features: [
    [1, 0],
    [0, 1],
    [0.5, -0.5],
  ],
  edge_index: [
    [0, 1],
    [1, 2],
    [2, 0],
  ],
  label: 1,
  ...more,
})
const line = (more: object = {}) => JSON.stringify({ query_id: 'q', candidates: [candidate(), candidate({ label: 0 })], ...more })
const parse = (...lines: string[]) => parseRankingJsonl(lines.join('\n'), { file: 'lists.jsonl' })
const codes = async (...lines: string[]) => (await parse(...lines)).problems.map((p) => p.code)

/** Beyond it a number is infinite in float32, and refused. */
const largestFloat = 3.4028234663852886e38

describe('ranking JSONL', () => {
  it('reads lists, edge types, directions and the query vector', async () => {
    const { lists, problems } = await parse(
      line({
        query: [1, 2],
        group: 'crm',
        candidates: [candidate({ id: 'a', edge_types: [0, 1, 0], edge_directions: [0, 1, 0] }), candidate({ label: 0 })],
      }),
    )
    expect(problems).toEqual([])
    expect(lists).toEqual([
      {
        queryId: 'q',
        query: [1, 2],
        group: 'crm',
        candidates: [
          {
            id: 'a',
            nodeFeatures: [
              [1, 0],
              [0, 1],
              [0.5, -0.5],
            ],
            edges: [
              [0, 1],
              [1, 2],
              [2, 0],
            ],
            edgeTypes: [0, 1, 0],
            edgeDirections: [0, 1, 0],
            label: 1,
          },
          {
            nodeFeatures: [
              [1, 0],
              [0, 1],
              [0.5, -0.5],
            ],
            edges: [
              [0, 1],
              [1, 2],
              [2, 0],
            ],
            label: 0,
          },
        ],
      },
    ])
  })

  it('round-trips whatever lists there are, in any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(rankingLists(), fc.integer({ min: 1, max: 40 }), async (lists, size) => {
        const text = printRankingJsonl(lists)
        const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
        const { lists: again, problems } = await parseRankingJsonl(chunks, { requireLabels: false })
        expect(problems.filter((p) => p.severity === 'error')).toEqual([])
        expect(again).toEqual(lists)
        expect(lists.map((l) => parseRankingRow(JSON.parse(JSON.stringify(rankingRow(l)))))).toEqual(lists)
      }),
      { numRuns: 100 },
    )
  })

  it('reads a 2xE edge_index where it can be nothing else', async () => {
    const { lists, problems } = await parse(
      line({
        candidates: [
          candidate({
            edge_index: [
              [0, 1, 2],
              [1, 2, 0],
            ],
          }),
          candidate({ edge_index: [[], []], label: 0 }),
        ],
      }),
    )
    expect(problems).toEqual([])
    expect(lists[0]!.candidates.map((c) => c.edges)).toEqual([
      [
        [0, 1],
        [1, 2],
        [2, 0],
      ],
      [],
    ])
  })

  it('takes two pairs as pairs, but says so when the file shows the other layout, before or after', async () => {
    const two = line({
      query_id: 'two',
      candidates: [
        candidate({
          edge_index: [
            [0, 1],
            [2, 0],
          ],
        }),
        candidate({ label: 0 }),
      ],
    })
    const columns = line({
      query_id: 'columns',
      candidates: [
        candidate({
          edge_index: [
            [0, 1, 2],
            [1, 2, 0],
          ],
        }),
        candidate({ label: 0 }),
      ],
    })
    expect(await codes(two)).toEqual([])
    for (const lines of [
      [two, columns],
      [columns, two],
    ]) {
      const { problems } = await parse(...lines)
      expect(problems.map((p) => p.code)).toEqual(['ambiguous-edge-index'])
      expect(problems[0]!.where).toBe(`lists.jsonl:${lines.indexOf(two) + 1}:candidates[0].edge_index`)
    }
    // the same edges whichever way it is read
    expect(
      await codes(
        columns,
        line({
          query_id: 's',
          candidates: [
            candidate({
              edge_index: [
                [0, 1],
                [1, 2],
              ],
            }),
            candidate({ label: 0 }),
          ],
        }),
      ),
    ).toEqual([])
  })

  it.each([
    ['not-json', '{"query_id": "q", '],
    ['not-json', '{"query_id": NaN}'],
    ['not-an-object', '[1]'],
    ['no-query-id', line({ query_id: undefined })],
    ['no-candidates', line({ candidates: [] })],
    ['no-candidates', line({ candidates: undefined })],
    ['not-finite', line({ query: [1, 'x'] })],
    ['not-finite', line().replace('0.5', '1e999')],
    ['feature-width', line({ candidates: [candidate(), candidate({ node_features: [[1], [2], [3]], label: 0 })] }), 3],
    ['edge-out-of-bounds', line({ candidates: [candidate({ edge_index: [[0, 3]] }), candidate({ label: 0 })] })],
    ['edge-out-of-bounds', line({ candidates: [candidate({ edge_index: [[-1, 0]] }), candidate({ label: 0 })] })],
    ['not-an-index', line({ candidates: [candidate({ edge_index: [[0.5, 0]] }), candidate({ label: 0 })] })],
    ['not-a-pair', line({ candidates: [candidate({ edge_index: [[0, 1, 2]] }), candidate({ label: 0 })] })],
    ['length-mismatch', line({ candidates: [candidate({ edge_types: [0] }), candidate({ label: 0 })] })],
    ['bad-item', line({ candidates: [candidate({ edge_types: [0, 0, -1] }), candidate({ label: 0 })] })],
    ['bad-item', line({ candidates: [candidate({ edge_directions: [0, 1, 2] }), candidate({ label: 0 })] })],
    ['no-label', line({ candidates: [candidate({ label: undefined }), candidate({ label: 0 })] })],
  ])('%s is an error with its place, and the list is left out: %s', async (code, text, times = 1) => {
    const { lists, problems } = await parse(line({ query_id: 'fine' }), text)
    expect(problems.map((p) => p.code)).toEqual(Array(times).fill(code))
    expect(problems[0]).toMatchObject({ severity: 'error', where: expect.stringMatching(/^lists\.jsonl:2/) })
    expect(lists.map((l) => l.queryId)).toEqual(['fine'])
  })

  it('reports every problem of a line, not just the first', async () => {
    const broken = line({
      query_id: '',
      query: ['a'],
      candidates: [
        candidate({
          edge_index: [
            [0, 9],
            [8, 0],
          ],
          edge_types: [0],
          label: 'high',
        }),
        7,
      ],
    })
    expect(await codes(broken)).toEqual([
      'no-query-id',
      'not-finite',
      'edge-out-of-bounds',
      'edge-out-of-bounds',
      'length-mismatch',
      'no-label',
      'not-an-object',
    ])
  })

  it('warns, and keeps the list, where labels are equal, ids repeat, fields are misspelled or a graph is empty', async () => {
    const { lists, problems } = await parse(
      line({ candidates: [candidate(), candidate()] }),
      line({ candidtaes: 1 }),
      line({ query_id: 'e', candidates: [candidate({ node_features: [], edge_index: [] }), candidate({ label: 0 })] }),
    )
    expect(problems.map((p) => [p.severity, p.code, p.where])).toEqual([
      ['warning', 'equal-labels', 'lists.jsonl:1:candidates'],
      ['warning', 'unknown-field', 'lists.jsonl:2'],
      ['warning', 'repeated-query-id', 'lists.jsonl:2:query_id'],
      ['warning', 'no-nodes', 'lists.jsonl:3:candidates[0].node_features'],
    ])
    expect(problems[1]!.suggestion).toBe('Did you mean "candidates"?')
    expect(lists).toHaveLength(3)
  })

  it('counts lines as an editor does: blank ones, carriage returns, a byte-order mark', async () => {
    const { lists, problems } = await parseRankingJsonl(`\uFEFF${line()}\r\n\r\n{}\r\n`, { file: 'f' })
    expect(lists).toHaveLength(1)
    expect(problems.map((p) => p.where)).toEqual(['f:3:query_id', 'f:3:candidates'])
  })

  it('streams: the first list is there before the last line is written', async () => {
    const given: string[] = []
    async function* source() {
      for (const [i, text] of [...printRankingLines(many(3))].entries()) {
        given.push(`${i}`)
        yield text
      }
    }
    for await (const { list } of readRankingJsonl(source())) {
      expect(list!.queryId).toBe(`q${given.length - 1}`)
    }
    expect(given).toHaveLength(3)
  })
})

const many = (n: number): RankingList[] =>
  Array.from({ length: n }, (_, i) => ({
    queryId: `q${i}`,
    candidates: [
      { nodeFeatures: [[i]], edges: [], label: 1 },
      { nodeFeatures: [[0]], edges: [], label: 0 },
    ],
  }))

function rankingLists(): fc.Arbitrary<RankingList[]> {
  const number = fc.double({ noNaN: true, min: -largestFloat, max: largestFloat }).map((x) => (Object.is(x, -0) ? 0 : x))
  const list = (width: number, queryWidth: number) =>
    fc.record(
      {
        queryId: fc.string({ minLength: 1 }),
        query: fc.array(number, { minLength: queryWidth, maxLength: queryWidth }),
        group: fc.string(),
        candidates: fc.array(graph(number, width), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['queryId', 'candidates'] },
    )
  return fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 })).chain(([w, q]) => fc.array(list(w, q), { maxLength: 4 }))
}

function graph(number: fc.Arbitrary<number>, width: number) {
  return fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 5 })).chain(([nodes, edges]) => {
    const exactly = <T>(item: fc.Arbitrary<T>, n: number) => fc.array(item, { minLength: n, maxLength: n })
    const end = fc.integer({ min: 0, max: nodes - 1 })
    return fc.record(
      {
        id: fc.string(),
        nodeFeatures: exactly(exactly(number, width), nodes),
        edges: exactly(fc.tuple(end, end), edges),
        edgeTypes: exactly(fc.nat({ max: 3 }), edges),
        edgeDirections: exactly(fc.constantFrom<0 | 1>(0, 1), edges),
        label: number,
      },
      { requiredKeys: ['nodeFeatures', 'edges'] },
    )
  })
}
