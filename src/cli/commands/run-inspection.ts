import path from 'node:path'
import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import type { ApiClient } from '../client.js'
import { openShell, withApi } from '../command.js'
import { atomically, download } from '../download.js'
import { formatTable } from '../output.js'
import { whole } from './flags.js'

const noRun = (id: string) => new EspalierError('NOT_FOUND', `there is no run ${id}`, { remedy: 'See `espalier runs list`.' })

async function ask<T>(api: ApiClient, id: string, fields: string): Promise<T> {
  const { run } = await api.request<{ run: T | null }>(`query ($id: ID!) { run(id: $id) { ${fields} } }`, { id })
  if (!run) throw noRun(id)
  return run
}

interface Compared {
  compareRuns: {
    runs: { id: string; kind: string; state: string }[]
    options: Record<string, unknown[]>
    datasets: { id: string; datasetName: string; number: string; hash: string }[][]
    sameData: boolean
    metrics: Record<string, (number | string | null)[]>
    curves: { runId: string; name: string; buckets: { index: number; fromStep: number; last: number | string }[] }[]
  }
}

const shown = (value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(5)) : typeof value === 'string' ? value : JSON.stringify(value)

/** A row per place on the common grid of steps, a column per run. */
function curveTable(name: string, header: string[], curves: Compared['compareRuns']['curves']): string {
  const places = [...new Set(curves.flatMap((curve) => curve.buckets.map((bucket) => bucket.index)))].sort((a, b) => a - b)
  const rows = places.map((index) => {
    const at = curves.map((curve) => curve.buckets.find((bucket) => bucket.index === index))
    return [
      Math.min(...at.flatMap((bucket) => (bucket ? [bucket.fromStep] : []))),
      ...at.map((bucket) => (bucket ? shown(bucket.last) : null)),
    ]
  })
  return `${name}\n${formatTable(['step', ...header.slice(1)], rows)}`
}

function printComparison({ runs, options, datasets, sameData, metrics, curves }: Compared['compareRuns']): string {
  const header = ['', ...runs.map(({ id }) => id.slice(0, 8))]
  const table = (of: Record<string, unknown[]>) =>
    formatTable(
      header,
      Object.entries(of).map(([name, values]) => [name, ...values.map(shown)]),
    )
  const data = datasets.map((of) => of.map((version) => `${version.datasetName} ${version.number}`).join(', ') || null)
  const names = [...new Set(curves.map((curve) => curve.name))]
  return [
    formatTable(header, [
      ['kind', ...runs.map((run) => run.kind)],
      ['state', ...runs.map((run) => run.state)],
      [sameData ? 'data (the same)' : 'data', ...data],
    ]),
    Object.keys(options).length > 0 ? `options that differ\n${table(options)}` : 'all options are the same',
    `metrics\n${table(metrics)}`,
    ...names.map((name) =>
      curveTable(
        name,
        header,
        curves.filter((curve) => curve.name === name),
      ),
    ),
  ].join('\n\n')
}

export function compare(runs: Command): void {
  runs
    .command('compare')
    .description('runs side by side: options, data, metrics, and curves over the same steps')
    .argument('<ids...>', '2 to 20 runs')
    .option('--metric <names...>', 'curves to lay over each other', [])
    .option('--points <n>', 'steps that a curve is drawn at (default 20)', whole, 20)
    .action(async (ids: string[], { metric, points }: { metric: string[]; points: number }, command: Command) => {
      const shell = openShell(command)
      const query = `query ($ids: [ID!]!, $curves: [String!]!, $buckets: Int!) { compareRuns(ids: $ids, curves: $curves, buckets: $buckets) {
        runs { id kind state } options datasets { id datasetName number hash } sameData metrics
        curves { runId name buckets { index fromStep toStep min max last } } } }`
      const answer = await withApi(shell, (api) => api.request<Compared>(query, { ids, curves: metric, buckets: points }))
      shell.output.answer(answer.compareRuns, printComparison(answer.compareRuns))
    })
}

export function checkpoints(runs: Command): void {
  runs
    .command('checkpoints')
    .description('the points that a run can be gone on from, newest first')
    .argument('<id>')
    .action(async (id: string, _flags, command: Command) => {
      const shell = openShell(command)
      type Kept = { id: string; attempt: number; step: number; bytes: string; best: boolean; createdAt: string }
      const run = await withApi(shell, (api) =>
        ask<{ checkpoints: Kept[] }>(api, id, 'checkpoints { id attempt step bytes best createdAt }'),
      )
      const rows = run.checkpoints.map((it) => [it.id, it.step, it.attempt, Number(it.bytes), it.best ? 'best' : '', it.createdAt])
      shell.output.answer(run.checkpoints, formatTable(['id', 'step', 'attempt', 'bytes', '', 'made'], rows))
    })
}

interface File {
  name: string
  bytes: string
  sha256: string
  url: string
  summary: Record<string, unknown> | null
}
const fileFields = 'files { name bytes sha256 url summary }'

export function files(runs: Command): void {
  runs
    .command('files')
    .description('what a run left beside its events; with a name, downloads it')
    .argument('<id>')
    .argument('[name]')
    .option('--output <file>', 'default: its name in this folder')
    .action(async (id: string, name: string | undefined, { output }: { output?: string }, command: Command) => {
      const shell = openShell(command)
      await withApi(shell, async (api) => {
        const run = await ask<{ files: File[] }>(api, id, fileFields)
        if (name === undefined) {
          const rows = run.files.map((file) => [file.name, Number(file.bytes), file.sha256])
          return shell.output.answer(run.files, formatTable(['name', 'bytes', 'sha256'], rows))
        }
        const saved = await save(api, id, run.files, name, output)
        shell.output.answer(saved, `${saved.output}  ${saved.bytes} bytes  sha256 ${saved.sha256}`)
      })
    })
}

async function save(api: ApiClient, id: string, files: readonly File[], name: string, output = name) {
  const file = files.find((one) => one.name === name)
  if (!file)
    throw new EspalierError('NOT_FOUND', `run ${id} has no file ${name}`, {
      remedy: files.length > 0 ? `It has ${files.map((one) => one.name).join(', ')}.` : 'It left none.',
    })
  const target = path.resolve(output)
  await atomically(target, (draft) => download(api, file.url, file.sha256, draft))
  return { id, name, output: target, sha256: file.sha256, bytes: Number(file.bytes) }
}

interface TraceView {
  steps: number
  firstStep: number
  milliseconds: number
  phases: Record<string, { count: number; total: number; mean: number; longest: number }>
}

function printTrace({ steps, firstStep, milliseconds, phases }: TraceView): string {
  const rows = Object.entries(phases).map(([phase, { count, total, mean, longest }]) => [
    ...[phase, count, total, mean, longest],
    `${((100 * total) / milliseconds).toFixed(1)} %`,
  ])
  const header = ['phase', 'spans', 'total ms', 'mean ms', 'longest ms', 'of the time']
  return `${steps} steps from step ${firstStep}, ${milliseconds} ms\n${formatTable(header, rows)}`
}

export function profile(runs: Command): void {
  runs
    .command('profile')
    .description('what the traced steps of a training spent their time on (train with --profile-steps)')
    .argument('<id>')
    .option('--output <file>', 'save the trace, for chrome://tracing or ui.perfetto.dev')
    .action(async (id: string, { output }: { output?: string }, command: Command) => {
      const shell = openShell(command)
      await withApi(shell, async (api) => {
        const run = await ask<{ files: File[] }>(api, id, fileFields)
        const trace = run.files.find((file) => file.name === 'profile.json')
        if (!trace)
          throw new EspalierError('NOT_FOUND', `run ${id} has no trace`, { remedy: 'Train with the option profileSteps above 0.' })
        const saved = output === undefined ? null : await save(api, id, run.files, trace.name, output)
        const text = printTrace(trace.summary as unknown as TraceView)
        shell.output.answer(
          { ...trace.summary, ...(saved ? { output: saved.output } : {}) },
          saved ? `${text}\nwrote ${saved.output}` : text,
        )
      })
    })
}
