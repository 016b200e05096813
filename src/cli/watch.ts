import { type ErrorCode, EspalierError, errorCodes } from '../util/error.js'
import type { ApiClient } from './client.js'
import { createProgress, type Output } from './output.js'

export interface RunView {
  id: string
  kind: string
  state: string
  result: Record<string, unknown> | null
  error: { code: string; message: string; remedy: string | null } | null
}

export const runFields = 'id kind state result error { code message remedy }'

type LiveEvent = { sequence: number; type: string } & Partial<{
  name: string
  step: number
  value: number | string
  level: string
  message: string
  to: string
  reason: string | null
}>

const shown = ['training_loss', 'validation_loss', 'mrr', 'accuracy'] as const

/** The newest figures in one short note: `training_loss 1.234  mrr 0.81`. */
function noteOf(values: ReadonlyMap<string, number | string>): string {
  const show = (value: number | string) => (typeof value === 'number' ? value.toPrecision(4) : value)
  return shown.flatMap((name) => (values.has(name) ? [`${name} ${show(values.get(name)!)}`] : [])).join('  ')
}

/** Follows a run to its end: a progress bar, warnings as lines; answers the run as it ended. */
export async function watchRun(api: ApiClient, output: Output, runId: string, title: string): Promise<RunView> {
  const bar = output.json ? null : createProgress(title)
  const values = new Map<string, number | string>()
  const lines: string[] = []
  let fraction = 0
  try {
    const events = api.subscribe<{ runEvents: LiveEvent }>(
      `subscription ($runId: ID!) { runEvents(runId: $runId) { sequence type
        ... on MetricEvent { name step value } ... on LogEvent { level message } ... on StateEvent { to reason } } }`,
      { runId },
    )
    for await (const { runEvents: event } of events) {
      if (event.type === 'metric') {
        values.set(event.name!, event.value!)
        if (event.name === 'progress' && typeof event.value === 'number') fraction = event.value
        bar?.update(fraction, noteOf(values))
      } else if (event.type === 'log' && event.level !== 'DEBUG') {
        lines.push(`  ${event.level === 'INFO' ? '' : `${event.level?.toLowerCase()}: `}${event.message}`)
      } else if (event.type === 'state' && event.to === 'COMPLETED') {
        bar?.update(1, noteOf(values))
      }
    }
  } finally {
    bar?.stop()
  }
  for (const line of lines) output.say(line)
  const { run } = await api.request<{ run: RunView }>(`query ($id: ID!) { run(id: $id) { ${runFields} } }`, { id: runId })
  return run
}

/** The run if it completed; throws what made it fail otherwise. */
export function assertCompleted(run: RunView): RunView & { result: Record<string, unknown> } {
  if (run.state === 'COMPLETED') return { ...run, result: run.result ?? {} }
  const code = run.error && Object.hasOwn(errorCodes, run.error.code) ? (run.error.code as ErrorCode) : 'INTERNAL'
  throw new EspalierError(
    run.error ? code : 'CONFLICT',
    `run ${run.id} is ${run.state.toLowerCase()}${run.error ? `: ${run.error.message}` : ''}`,
    {
      ...(run.error?.remedy ? { remedy: run.error.remedy } : {}),
    },
  )
}

/**
 * Starts a run, follows it, and answers it as it ended. `kind` is spelled as on the wire: TRAIN_GGNN. `schedule`: priority, timeoutSeconds,
 * retryLimit.
 */
export async function startAndWatch(
  api: ApiClient,
  output: Output,
  kind: string,
  options: unknown,
  title: string,
  schedule: Record<string, unknown> = {},
) {
  const { startRun } = await api.request<{ startRun: { id: string } }>(
    `mutation ($kind: RunKind!, $options: JSON, $priority: Int, $timeoutSeconds: Int, $retryLimit: Int) {
      startRun(kind: $kind, options: $options, priority: $priority, timeoutSeconds: $timeoutSeconds, retryLimit: $retryLimit) { id } }`,
    { kind, options, ...schedule },
  )
  return assertCompleted(await watchRun(api, output, startRun.id, title))
}
