import { stepNames } from './compile.js'
import type { Program, TensorExecutor } from './executor.js'
import { decayMask, viewsOf } from './flat.js'
import type { Graph } from './graph.js'
import { type LoadedGraph, Replica, sumOfSquares } from './replica.js'
import type { FlatState, Part, StepNumbers, StepPlan, StepRuntime } from './step-runtime.js'
import { float32, type HostTensor, type NamedTensors } from './tensor.js'
import { feedUniform } from './uniform.js'

/** Builds and loads one program per layout, and keeps it. */
function programs(build: (layout: string) => Graph, load: (graph: Graph) => Promise<Program>) {
  const loaded = new Map<string, Promise<LoadedGraph>>()
  const make = async (layout: string): Promise<LoadedGraph> => {
    const graph = build(layout)
    return { program: await load(graph), inputs: graph.inputs }
  }
  return {
    get(layout: string): Promise<LoadedGraph> {
      let program = loaded.get(layout)
      if (!program) {
        program = make(layout)
        loaded.set(layout, program)
      }
      return program
    },
    async release() {
      const all = [...loaded.values()]
      loaded.clear()
      for (const made of await Promise.allSettled(all)) if (made.status === 'fulfilled') await made.value.program.release()
    },
  }
}

const vector = (data: Float32Array): HostTensor => ({ type: 'float32', dims: [data.length], data })

/** One of the two sets of vectors between which the state goes back and forth, as feeds and as fetches. */
function openBank({ flat, optimizer }: StepPlan) {
  const state: FlatState = {
    parameters: new Float32Array(flat.length),
    slots: Object.fromEntries(optimizer.row.slots.map((slot) => [slot, new Float32Array(flat.length)])),
  }
  const named: NamedTensors = {
    [stepNames.parameters]: vector(state.parameters),
    ...Object.fromEntries(Object.entries(state.slots).map(([slot, data]) => [stepNames.slot(slot), vector(data)])),
  }
  const fetches = Object.fromEntries(Object.entries(named).map(([name, t]) => [stepNames.next(name), t]))
  const views = viewsOf(state.parameters, flat)
  return { state, views, feeds: { ...views, ...named }, fetches }
}

/**
 * Steps in sessions of this thread. A step of one part is one run of one graph, which is what small models want, where every run and
 * every tensor that crosses counts; parts that add up go through a replica.
 */
export function openInlineRuntime(plan: StepPlan, executor: TensorExecutor, threads: number): StepRuntime {
  const { flat, optimizer, clipNorm, seed, graphs } = plan
  const load = (graph: Graph) => executor.load(graph, { threads })
  const steps = programs(graphs.step, load)
  const gradients = programs(graphs.gradient, load)
  const updates = programs(() => graphs.update(), load)
  const forwards = programs(graphs.forward, load)

  const banks = [openBank(plan), openBank(plan)] as const
  banks[0].state.parameters.set(plan.start)
  let current: 0 | 1 = 0
  const results = { [stepNames.loss]: float32([]), [stepNames.gradientNorm]: float32([]) }
  const decays: NamedTensors = optimizer.row.decays(optimizer.options)
    ? { [stepNames.decays]: { type: 'bool', dims: [flat.length], data: decayMask(flat) } }
    : {}
  const scalarFeeds: Record<string, HostTensor<'float32'>> = {}
  const scalar = (name: string, value: number) => {
    scalarFeeds[name] ??= float32([])
    scalarFeeds[name].data[0] = value
  }

  async function stepWhole({ layout, feeds }: Part, { done, learningRate }: StepNumbers) {
    const { program, inputs } = await steps.get(layout)
    const numbers = optimizer.row.scalars(done + 1, learningRate, optimizer.options)
    for (const name in numbers) scalar(stepNames.scalar(name), numbers[name]!)
    if (clipNorm !== null) scalar(stepNames.clip, clipNorm)
    const other = current === 0 ? 1 : 0
    const fed = { ...feeds, ...feedUniform(inputs, feeds, seed, done), ...banks[current].feeds, ...decays, ...scalarFeeds }
    await program.run(fed, { ...banks[other].fetches, ...results })
    current = other
    return { losses: [results[stepNames.loss]!.data[0]!], gradientNorm: results[stepNames.gradientNorm]!.data[0]! }
  }

  let replica: Replica | null = null
  async function stepInParts(parts: readonly Part[], numbers: StepNumbers) {
    replica ??= new Replica({ flat, optimizer, clipNorm, seed, slice: [0, flat.length] })
    const { state } = banks[current]
    replica.parameters.set(state.parameters)
    for (const slot in replica.slots) replica.slots[slot]!.set(state.slots[slot]!)
    replica.clear()
    const losses: number[] = []
    for (const [place, part] of parts.entries()) losses.push(await replica.add(await gradients.get(part.layout), part, place, numbers.done))
    const gradientNorm = Math.sqrt(sumOfSquares(replica.gradient))
    await replica.update((await updates.get('')).program, replica.gradient, gradientNorm, numbers)
    write({ parameters: replica.parameters, slots: replica.slots })
    return { losses, gradientNorm }
  }

  function write({ parameters, slots }: FlatState): void {
    const { state } = banks[current]
    state.parameters.set(parameters)
    for (const slot in state.slots) state.slots[slot]!.set(slots[slot]!)
  }

  return {
    step: (parts, numbers) => (parts.length === 1 ? stepWhole(parts[0]!, numbers) : stepInParts(parts, numbers)),
    async evaluate(layout, feeds) {
      const { program } = await forwards.get(layout)
      return program.run({ ...feeds, ...banks[current].views })
    },
    read() {
      const { parameters, slots } = banks[current].state
      return {
        parameters: parameters.slice(),
        slots: Object.fromEntries(Object.entries(slots).map(([slot, data]) => [slot, data.slice()])),
      }
    },
    write,
    async close() {
      for (const all of [steps, gradients, updates, forwards]) await all.release()
    },
  }
}
