import { describe, expect, it } from 'vitest'
import { ggnnClassic } from '../../../src/models/ggnn/ggnn-classic.js'
import type { CandidateGraph } from '../../../src/models/rankings/ranking-list.js'
import { buildForward } from '../../../src/models/trainer.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { float32, type NamedTensors } from '../../../src/tensor/tensor.js'

const options = ggnnClassic.options.parse({})

/** Tensor j, flat element k: 0.5 sin(k + 1 + j). */
const parameters: NamedTensors = Object.fromEntries(
  ggnnClassic.parameters(options).map(({ name, shape }, j) => {
    const count = shape.reduce((a, b) => a * b, 1)
    return [
      name,
      float32(
        shape,
        Array.from({ length: count }, (_, k) => 0.5 * Math.sin(k + 1 + j)),
      ),
    ]
  }),
)

const nodes = [
  [1, 0],
  [0, 1],
  [0.5, -0.5],
]
const cycle = [
  [0, 1],
  [1, 2],
  [2, 0],
] as const

async function score(candidates: CandidateGraph[]): Promise<number[]> {
  const { batch, problems } = ggnnClassic.encode([{ queryId: 'q', candidates }], options)
  expect(problems).toEqual([])
  const program = await ortExecutor.load(buildForward(ggnnClassic, options, batch.layout, false))
  const scores = ggnnClassic.decode(await program.run({ ...batch.feeds, ...parameters }), batch)[0]!
  await program.release()
  return scores
}

describe('the conformance model', () => {
  const cases: [string, CandidateGraph, number][] = [
    ['all along', { nodeFeatures: nodes, edges: cycle, edgeDirections: [0, 0, 0] }, 0.7898634403],
    ['all against', { nodeFeatures: nodes, edges: cycle, edgeDirections: [1, 1, 1] }, 0.8200092047],
    ['mixed', { nodeFeatures: nodes, edges: cycle, edgeDirections: [0, 1, 0] }, 0.8104263722],
    ['no edges', { nodeFeatures: nodes, edges: [] }, 0.8005382617],
    ['first node alone', { nodeFeatures: nodes.slice(0, 1), edges: [] }, 0.8000190562],
  ]
  for (const [name, candidate, expected] of cases)
    it(`scores a graph: ${name}`, async () => {
      const [alone] = await score([candidate])
      expect(Math.abs(alone! - expected)).toBeLessThan(1e-6)
    })

  it('scores them the same in one batch', async () => {
    const together = await score(cases.map(([, candidate]) => candidate))
    together.forEach((s, i) => {
      expect(Math.abs(s - cases[i]![2])).toBeLessThan(1e-6)
    })
  })
})
