import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseRankingJsonl } from '../../../src/datasets/formats/ranking-jsonl.js'
import { printRankingJsonl } from '../../../src/datasets/formats/ranking-row.js'
import { validateList } from '../../../src/models/rankings/ranking-encode.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const good = (): { [key: string]: Json } => ({
  query_id: 'q',
  query: [0.5, 1],
  group: 'g',
  candidates: [
    {
      node_features: [
        [1, 0],
        [0, 1],
        [2, 2],
      ],
      edge_index: [
        [0, 1],
        [1, 2],
        [2, 0],
      ],
      edge_types: [0, 1, 0],
      edge_directions: [0, 1, 0],
      label: 1,
    },
    { node_features: [[3, 4]], edge_index: [], label: 0 },
  ],
})

/** Every place of a value, as paths. */
function placesOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path]
  const entries = Array.isArray(value) ? value.map((v, i) => [i, v] as const) : Object.entries(value)
  return [path, ...entries.flatMap(([key, inner]) => placesOf(inner as Json, [...path, key]))]
}

const places = placesOf(good()).filter((path) => path.length > 0)
const wild: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Json>(
    null,
    true,
    -1,
    0,
    1,
    2,
    3,
    0.5,
    1e308,
    '',
    '1',
    [],
    [[]],
    [[0], [1]],
    [
      [0, 1],
      [2, 0],
    ],
    {},
  ),
  fc.jsonValue() as fc.Arbitrary<Json>,
)

function withChange(path: readonly (string | number)[], value: Json | undefined): Json {
  const line = good()
  let at: { [key: string | number]: Json } = line
  for (const key of path.slice(0, -1)) at = at[key] as { [key: string]: Json }
  const last = path.at(-1)!
  if (value !== undefined) at[last] = value
  else if (Array.isArray(at)) at.splice(last as number, 1)
  else delete at[last]
  return line
}

it('whatever is wrong with a line, it is told with its place, or the list is one that a model takes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...places), wild), { minLength: 1, maxLength: 4 }), async (changes) => {
      const text = changes.map(([path, value]) => `${JSON.stringify(withChange(path, value))}\n`).join('')
      const { lists, problems } = await parseRankingJsonl(text, { file: 'f' })
      const wrong = new Set(problems.filter((p) => p.severity === 'error').map((p) => Number(/^f:(\d+)/.exec(p.where)![1])))
      // nothing is dropped in silence
      expect(lists.length + wrong.size).toBe(changes.length)
      for (const problem of problems) {
        expect(problem.where).toMatch(/^f:\d+/)
        expect(problem.expected).not.toBe('')
      }
      for (const list of lists) {
        const features = list.candidates.find((c) => c.nodeFeatures.length > 0)?.nodeFeatures[0]?.length ?? 0
        const widths = { features, queryFeatures: list.query?.length ?? 0, edgeTypes: 2 ** 53 }
        expect(validateList(list, widths).filter((p) => p.severity === 'error')).toEqual([])
      }
    }),
    { numRuns: 2000 },
  )
})

it('any text at all is read without an exception, and each of its lines is accounted for', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.json({ maxDepth: 3 }),
    fc.constant(JSON.stringify(good())),
    fc.constant(JSON.stringify(good()).slice(0, -7)),
    fc.constant(JSON.stringify(good()).replace('0.5', 'NaN')),
    fc.constant(JSON.stringify(good()).replace('0.5', '1e999')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const text = lines.map((l) => l.replaceAll(/[\r\n]/g, ' ')).join('\n')
      const { lists, problems } = await parseRankingJsonl(text)
      const filled = text.split('\n').filter((l) => l.replace('\uFEFF', '').trim() !== '').length
      const wrong = new Set(problems.filter((p) => p.severity === 'error').map((p) => /^text 1:(\d+)/.exec(p.where)![1]))
      expect(lists.length + wrong.size).toBe(filled)
    }),
    { numRuns: 1000 },
  )
})

it('the 2xE layout means the same as its pairs, whenever it can be nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 6 }), async (pairs) => {
      const line = (edges: Json) => {
        const value = good() as { candidates: { [key: string]: Json }[] }
        const [first] = value.candidates as [{ [key: string]: Json }]
        first['edge_index'] = edges
        delete first['edge_types']
        delete first['edge_directions']
        return JSON.stringify(value)
      }
      const columns = [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
      const read = await parseRankingJsonl(line(columns))
      if (pairs.length === 2) {
        // two edges: pairs are canonical, so the columns are read as two pairs
        expect(read.lists[0]!.candidates[0]!.edges).toEqual(columns)
        return
      }
      expect(read.problems).toEqual([])
      expect(read.lists[0]!.candidates[0]!.edges).toEqual(pairs)
      expect(printRankingJsonl(read.lists)).toBe(printRankingJsonl((await parseRankingJsonl(line(pairs))).lists))
    }),
  )
})
