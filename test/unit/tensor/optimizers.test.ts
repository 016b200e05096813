import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileTrainingStep, stepNames } from '../../../src/tensor/compile.js'
import { optimizers, parseOptimizer } from '../../../src/tensor/optimizers.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'

interface Step {
  loss: number
  norm: number
  w: number[]
  b: number[]
}
const fixture = path.join(import.meta.dirname, 'fixtures/optimizers-torch.json')
const { cases }: { cases: { name: string; optimizer: { name: string }; steps: Step[] }[] } = JSON.parse(fs.readFileSync(fixture, 'utf8'))

/** Sum of squares of W x + b - y in float64, as the fixture's script has it. */
async function run(setting: { name: string }): Promise<Step[]> {
  const optimizer = parseOptimizer(setting)
  const g = new GraphBuilder('float64')
  const double = (dims: number[], values: number[]) => tensor('float64', dims, values)
  const [w, b] = [g.input('w', 'float64', [2, 3]), g.input('b', 'float64', [2])]
  const x = g.constant(double([1, 3], [1, 2, -1]))
  const residual = g.sub(g.linear(x, w, b), g.constant(double([2], [0.5, -1.5])))
  const loss = g.sumAll(g.mul(residual, residual))
  const parameters = [
    { name: 'w', value: w },
    { name: 'b', value: b },
  ]
  const program = await ortExecutor.load(compileTrainingStep(g, { loss, parameters, optimizer, clip: true }))
  // w and b one after another; biases do not decay
  let state: NamedTensors = { [stepNames.parameters]: double([8], [0.5, -1, 0.25, 1.5, 0.75, -0.5, 0.1, -0.2]) }
  for (const slot of optimizer.row.slots) state[stepNames.slot(slot)] = double([8], new Array(8).fill(0))
  const decays = { [stepNames.decays]: tensor('bool', [8], [1, 1, 1, 1, 1, 1, 0, 0]) }
  const steps: Step[] = []
  for (let i = 1; i <= 5; i++) {
    const scalars: NamedTensors = { [stepNames.clip]: double([], [1]) }
    for (const [name, value] of Object.entries(optimizer.row.scalars(i, 0.05, optimizer.options)))
      scalars[stepNames.scalar(name)] = double([], [value])
    const values = numbersOf(state[stepNames.parameters]!)
    const views = { w: double([2, 3], values.slice(0, 6)), b: double([2], values.slice(6)) }
    const out = await program.run({ ...state, ...decays, ...views, ...scalars })
    state = Object.fromEntries(Object.keys(state).map((name) => [name, out[stepNames.next(name)]!]))
    const [lossNow, norm] = [stepNames.loss, stepNames.gradientNorm].map((name) => numbersOf(out[name]!)[0]!)
    const next = numbersOf(state[stepNames.parameters]!)
    steps.push({ loss: lossNow!, norm: norm!, w: next.slice(0, 6), b: next.slice(6) })
  }
  await program.release()
  return steps
}

describe('optimizers against PyTorch, five clipped steps in float64', () => {
  it('covers every optimizer', () => {
    expect(new Set(cases.map((c) => c.optimizer.name))).toEqual(new Set(Object.keys(optimizers)))
  })
  for (const { name, optimizer, steps } of cases)
    it(name, async () => {
      const ours = await run(optimizer)
      const flat = (all: Step[]) => all.flatMap(({ loss, norm, w, b }) => [loss, norm, ...w, ...b])
      flat(ours).forEach((value, i) => {
        expect(value).toBeCloseTo(flat(steps)[i]!, 8)
      })
    })
})
