import { describe, expect, it } from 'vitest'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import { openTracer } from '../../../src/training/trace.js'

/** A clock that is moved by hand. */
function clock() {
  let time = 0
  return { now: () => time, pass: (milliseconds: number) => void (time += milliseconds) }
}

function trace(steps: number, ahead: number) {
  const { now, pass } = clock()
  const tracer = openTracer(steps, ahead, now)
  const taken = []
  for (let step = 1; step <= ahead; step++) {
    tracer.begin(step)
    const endStep = tracer.open('step')
    const endEncode = tracer.open('encode')
    pass(2)
    endEncode()
    pass(step)
    endStep()
    const endEvents = tracer.open('events')
    pass(1)
    endEvents()
    const found = tracer.take()
    if (found) taken.push(found)
  }
  const rest = tracer.take(true)
  return { taken, rest }
}

describe('a tracer', () => {
  it('traces that many steps after the first two, once', () => {
    const { taken, rest } = trace(3, 10)
    expect(rest).toBeNull()
    expect(taken).toHaveLength(1)
    const [{ summary, bytes }] = taken as [(typeof taken)[number]]
    expect(summary).toEqual({
      steps: 3,
      firstStep: 3,
      milliseconds: 21,
      phases: {
        encode: { count: 3, total: 6, mean: 2, longest: 2 },
        step: { count: 3, total: 18, mean: 6, longest: 7 },
        events: { count: 3, total: 3, mean: 1, longest: 1 },
      },
    })
    const file = JSON.parse(new TextDecoder().decode(bytes))
    const spans = file.traceEvents.filter((event: { ph: string }) => event.ph === 'X')
    expect(spans).toHaveLength(9)
    // the format's unit is the microsecond; the first traced step begins after two others of 4 and 5 ms
    expect(spans.find((span: { name: string }) => span.name === 'step')).toMatchObject({ ts: 9_000, dur: 5_000, args: { step: 3 } })
    expect(file.otherData).toEqual(summary)
  })
  it('traces what there is where there are fewer steps', () => {
    expect(trace(5, 6).taken[0]!.summary).toMatchObject({ steps: 5, firstStep: 1 })
    const { taken, rest } = trace(50, 4)
    expect(taken).toEqual([])
    expect(rest!.summary).toMatchObject({ steps: 4, firstStep: 1 })
  })
  it('traces nothing, and leaves the executor alone, when it is not asked to', () => {
    expect(trace(0, 5)).toEqual({ taken: [], rest: null })
    const executor = {} as TensorExecutor
    expect(openTracer(0, 5).wrap(executor)).toBe(executor)
    expect(openTracer(1, 5).wrap(executor)).not.toBe(executor)
  })
})
