import type { TensorExecutor } from '../tensor/executor.js'

/**
 * What a step spends its time on: its batch made into tensors (`encode`), the step itself (`step`), within it the runs of compiled graphs
 * (`run`; none where worker threads compute), and what the listener does with its events (`events`).
 */
export const phases = ['encode', 'step', 'run', 'events'] as const
export type Phase = (typeof phases)[number]

export interface PhaseSummary {
  count: number
  /** milliseconds */
  total: number
  mean: number
  longest: number
}

export interface TraceSummary {
  /** optimizer steps that were traced, and the first of them */
  steps: number
  firstStep: number
  /** from the first span's begin to the last one's end */
  milliseconds: number
  phases: Partial<Record<Phase, PhaseSummary>>
}

interface Span {
  phase: Phase
  step: number
  /** milliseconds since the trace began */
  at: number
  took: number
}

export interface Tracer {
  /** Begins a span and answers what ends it; outside of the traced steps nothing is kept. */
  open(phase: Phase): () => void
  /** An executor whose runs are traced. */
  wrap(executor: TensorExecutor): TensorExecutor
  /** Says that optimizer step `step` (from 1) begins. */
  begin(step: number): void
  /** The trace, once: when its steps are done, or `atEnd`, when there are no more of them. Null otherwise. */
  take(atEnd?: boolean): { bytes: Uint8Array; summary: TraceSummary } | null
}

/** Steps of an attempt that are passed over where there are enough: they load the graphs. */
const warmUp = 2

/** The spans in the Trace Event Format, which chrome://tracing and ui.perfetto.dev draw. */
function encodeTrace(spans: readonly Span[], summary: TraceSummary): Uint8Array {
  const names = phases.map((phase, tid) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name: phase } }))
  const events = spans.map(({ phase, step, at, took }) => {
    const microseconds = { ts: Math.round(at * 1000), dur: Math.round(took * 1000) }
    return { name: phase, cat: 'training', ph: 'X', pid: 1, tid: phases.indexOf(phase), ...microseconds, args: { step } }
  })
  return new TextEncoder().encode(`${JSON.stringify({ traceEvents: [...names, ...events], displayTimeUnit: 'ms', otherData: summary })}\n`)
}

const round = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000

function summarize(spans: readonly Span[]): TraceSummary {
  const steps = new Set(spans.map(({ step }) => step))
  const end = spans.reduce((latest, { at, took }) => Math.max(latest, at + took), 0)
  const start = spans.reduce((earliest, { at }) => Math.min(earliest, at), end)
  const rows = phases.flatMap((phase): [Phase, PhaseSummary][] => {
    const took = spans.flatMap((span) => (span.phase === phase ? [span.took] : []))
    const total = took.reduce((sum, one) => sum + one, 0)
    return took.length === 0
      ? []
      : [[phase, { count: took.length, total: round(total), mean: round(total / took.length), longest: round(Math.max(...took)) }]]
  })
  return { steps: steps.size, firstStep: Math.min(...steps), milliseconds: round(end - start), phases: Object.fromEntries(rows) }
}

/** Traces `steps` optimizer steps of an attempt that has `ahead` to do; 0: nothing, at no cost. `now` in milliseconds. */
export function openTracer(steps: number, ahead: number, now: () => number = () => performance.now()): Tracer {
  const spans: Span[] = []
  const began = now()
  let left = ahead > steps + warmUp ? warmUp : 0
  let step = 0
  let done = 0
  let state: 'waiting' | 'tracing' | 'taken' = steps > 0 ? 'waiting' : 'taken'
  const nothing = () => {}
  const tracer: Tracer = {
    open(phase) {
      if (state !== 'tracing') return nothing
      const [of, at] = [step, now()]
      return () => {
        if (state === 'tracing') spans.push({ phase, step: of, at: at - began, took: now() - at })
      }
    },
    wrap: (executor) =>
      state === 'taken'
        ? executor
        : {
            ...executor,
            async load(graph, options) {
              const program = await executor.load(graph, options)
              return {
                ...program,
                async run(feeds, fetches) {
                  const end = tracer.open('run')
                  return program.run(feeds, fetches).finally(end)
                },
              }
            },
          },
    begin(next) {
      if (state === 'taken') return
      step = next
      if (state === 'waiting' && left-- <= 0) state = 'tracing'
      if (state === 'tracing') done++
    },
    take(atEnd = false) {
      if (state !== 'tracing' || spans.length === 0 || (done < steps && !atEnd)) return null
      state = 'taken'
      const summary = summarize(spans)
      return { bytes: encodeTrace(spans.splice(0), summary), summary }
    },
  }
  return tracer
}
