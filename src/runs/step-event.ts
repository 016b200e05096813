import type { RunEvent, RunEventBody } from '../vocabulary.js'
import type { LiveEvent } from './follow.js'

/** What a step says as its pipeline's own log has it: metrics `<step>.<name>`, lines `[<step>] …`; null for what stays with the step's run. */
export function toldOf(step: string, event: RunEvent): RunEventBody | null {
  if (event.type === 'metric') return { type: 'metric', name: `${step}.${event.name}`, step: event.step, value: event.value }
  if (event.type === 'log') return { type: 'log', level: event.level, message: `[${step}] ${event.message}` }
  return null
}

/** An event of a pipeline as the step said it, and which one; null for what the pipeline says of itself. */
export function splitStep(event: LiveEvent): { step: string | null; event: LiveEvent } {
  const [, step, rest] =
    (event.type === 'metric' && /^([\w-]+)\.(.+)$/s.exec(event.name)) ||
    (event.type === 'log' && /^\[([\w-]+)\] (.*)$/s.exec(event.message)) ||
    []
  if (step === undefined) return { step: null, event }
  return { step, event: { ...event, [event.type === 'metric' ? 'name' : 'message']: rest } as LiveEvent }
}
