import { describe, expect, it } from 'vitest'
import { parseGraphJsonl } from '../../../../src/datasets/formats/graph-jsonl.js'
import { parseRankingJsonl } from '../../../../src/datasets/formats/ranking-jsonl.js'
import { validateGraph } from '../../../../src/models/graphs/typed-graph.js'

/** The largest number that float32 holds, and one beyond it, which would reach a model as Infinity. */
const [most, beyond] = [3.4028234663852886e38, 3.5e38]

describe('numbers beyond float32', () => {
  it('are told with their line and place, in graphs and in ranking lists', async () => {
    const line = (value: number) => JSON.stringify({ id: 'a', node_features: [[1, value]], edge_index: [], target: 0 })
    const { examples, problems } = await parseGraphJsonl(`${line(most)}\n${line(-beyond)}`, { kind: 'node', file: 'g.jsonl' })
    expect(examples).toHaveLength(1)
    expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'not-finite', where: 'g.jsonl:2:node_features[0][1]' },
    ])
    const candidate = (label: number) => ({ node_features: [[1]], edge_index: [], label })
    const list = JSON.stringify({ query_id: 'q', query: [beyond], candidates: [candidate(1), candidate(beyond)] })
    const found = (await parseRankingJsonl(list, { file: 'r.jsonl' })).problems.map(({ where }) => where)
    expect(found).toEqual(expect.arrayContaining(['r.jsonl:1:query[0]', 'r.jsonl:1:candidates[1].label']))
  })
  it('are refused by models too', () => {
    const told = (value: number) =>
      validateGraph({ nodeFeatures: [[value]], edges: [] }, 'here', { features: 1, queryFeatures: 0, edgeTypes: 1 })
    expect(told(most)).toEqual([])
    expect(told(beyond)).toMatchObject([{ code: 'not-finite', found: expect.stringContaining('beyond float32') }])
  })
})
