import { type Command, Option } from 'commander'
import { EspalierError } from '../../util/error.js'
import type { ApiClient } from '../client.js'
import { openShell, type Shell, withApi } from '../command.js'
import { findVersion, type VersionView } from '../dataset-names.js'
import { counted, formatTable } from '../output.js'
import { assertCompleted, watchRun } from '../watch.js'

export interface Report {
  passed: boolean
  total: number
  valid: number
  invalid: number
  errors: number
  warnings: number
  qualityScore: number
  counts: Record<string, number>
  issues: { rule: string; severity: string; row: number | null; line?: number | null; message: string; suggestion?: string | null }[]
  recommendations: string[]
  quality: {
    overall: number
    band: string
    dimensions: Record<string, { weight: number; score: number | null; sampleSize: number; of: string }>
  }
}

const reportFile = 'validation.json'

/** The report, by a run when there is more to judge than a request should. */
async function judge(api: ApiClient, shell: Shell, version: VersionView, options: object, fresh: boolean): Promise<Report> {
  const query = `mutation ($id: ID!, $options: JSON, $fresh: Boolean!) { queueDatasetValidation(versionId: $id, options: $options, fresh: $fresh) { id } }`
  const small = `mutation ($id: ID!, $options: JSON, $fresh: Boolean!) { validateDataset(versionId: $id, options: $options, fresh: $fresh) {
    passed total valid invalid errors warnings qualityScore counts recommendations issues { rule severity row message suggestion } quality { overall band dimensions } } }`
  const variables = { id: version.id, options, fresh }
  if (Number(version.rowCount) <= 20_000) return (await api.request<{ validateDataset: Report }>(small, variables)).validateDataset
  const { queueDatasetValidation: run } = await api.request<{ queueDatasetValidation: { id: string } }>(query, variables)
  assertCompleted(await watchRun(api, shell.output, run.id, `validate ${version.datasetName}`))
  return (await (await api.get(`/runs/${run.id}/files/${reportFile}`)).json()) as Report
}

const shownIssues = 20

const placeOf = (row: number | null, line: number | null | undefined): string =>
  typeof line === 'number' ? `line ${line}: ` : row === null ? '' : `row ${row}: `

export function reportText(title: string, report: Report): string {
  const counts = Object.entries(report.counts).filter(([, count]) => count > 0)
  return [
    `${title}: ${report.passed ? 'passed' : 'failed'}; ${report.valid} of ${report.total} rows valid, ${counted(report.errors, 'error')}, ${counted(report.warnings, 'warning')}, quality ${report.qualityScore.toFixed(3)}`,
    ...(counts.length > 0 ? [formatTable(['rule', 'issues'], counts)] : []),
    ...report.issues
      .slice(0, shownIssues)
      .map(({ severity, row, line, message }) => `  ${placeOf(row, line)}${severity.toLowerCase()}: ${message}`),
    ...report.recommendations.map((advice) => `  ${advice}`),
  ].join('\n')
}

async function validate(
  shell: Shell,
  name: string,
  { required, scoring, fresh }: { required?: string[]; scoring?: string; fresh?: boolean },
) {
  const options = { ...(required && { requiredLabels: required }), ...(scoring && { scoring }) }
  const { version, report } = await withApi(shell, async (api) => {
    const found = await findVersion(api, name)
    return { version: found, report: await judge(api, shell, found, options, fresh ?? false) }
  })
  shell.output.answer(report, reportText(`${version.datasetName} ${version.number}`, report))
  if (!report.passed) process.exitCode = 1
}

async function quality(shell: Shell, name: string): Promise<void> {
  const { version, report } = await withApi(shell, async (api) => {
    const found = await findVersion(api, name)
    return { version: found, report: (await judge(api, shell, found, {}, false)).quality }
  })
  const rows = Object.entries(report.dimensions).map(([dimension, { weight, score, sampleSize, of }]) => [
    dimension,
    weight,
    score === null ? 'nothing to judge' : score.toFixed(3),
    `${sampleSize} ${of}`,
  ])
  const head = `${version.datasetName} ${version.number}: ${report.overall.toFixed(3)}, ${report.band}`
  shell.output.answer(report, `${head}\n${formatTable(['dimension', 'weight', 'score', 'sample'], rows)}`)
}

interface Enhancement {
  version: { number: string; id: string } | null
  isNew: boolean
  rowsBefore: number
  rowsAfter: number
  steps: { name: string; changed: number; dropped: number; added: number }[]
}

const enhancementFields = 'isNew version { id number } rowsBefore rowsAfter steps changes dropped'

/** Steps by name, or as JSON with their options. */
function stepsOf({ step, steps }: { step: string[]; steps?: string }): object {
  if (steps === undefined)
    return Object.fromEntries((step.length > 0 ? step : ['clean', 'confidence', 'duplicates']).map((name) => [name, {}]))
  try {
    return JSON.parse(steps) as object
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `--steps: found ${steps.slice(0, 60)}, expected JSON such as {"clean": {}}`, { cause })
  }
}

async function enhance(shell: Shell, name: string, flags: { step: string[]; steps?: string; dryRun?: boolean }): Promise<void> {
  const steps = stepsOf(flags)
  const done = await withApi(shell, async (api): Promise<Enhancement> => {
    const version = await findVersion(api, name)
    if (Number(version.rowCount) > 20_000) {
      const query =
        'mutation ($id: ID!, $steps: JSON!, $dry: Boolean!) { queueDatasetEnhancement(versionId: $id, steps: $steps, dryRun: $dry) { id } }'
      const { queueDatasetEnhancement: run } = await api.request<{ queueDatasetEnhancement: { id: string } }>(query, {
        id: version.id,
        steps,
        dry: flags.dryRun ?? false,
      })
      return assertCompleted(await watchRun(api, shell.output, run.id, `enhance ${version.datasetName}`)).result as unknown as Enhancement
    }
    const query = flags.dryRun
      ? `query ($id: ID!, $steps: JSON!) { done: previewDatasetEnhancement(versionId: $id, steps: $steps) { ${enhancementFields} } }`
      : `mutation ($id: ID!, $steps: JSON!) { done: enhanceDataset(versionId: $id, steps: $steps) { ${enhancementFields} } }`
    return (await api.request<{ done: Enhancement }>(query, { id: version.id, steps })).done
  })
  const table = formatTable(
    ['step', 'changed', 'dropped', 'added'],
    done.steps.map(({ name: step, changed, dropped, added }) => [step, changed, dropped, added]),
  )
  const outcome = flags.dryRun ? 'nothing was saved' : done.isNew ? `saved as ${done.version!.number}` : 'nothing to change'
  shell.output.answer(done, `${table}\n${done.rowsBefore} rows became ${done.rowsAfter}; ${outcome}`)
}

const several = (value: string, before: string[] = []) => [...before, value]

/** Commands that judge and mend. */
export function datasetChecks(parent: Command): void {
  parent
    .command('validate <version>')
    .description('judge a version by every rule; status 1 when a row has an error')
    .option('--required <labels...>', 'label sets that every row must have')
    .addOption(new Option('--scoring <name>', 'which score is the quality score').choices(['v2', 'classic']))
    .option('--fresh', 'judge anew, whatever was found before')
    .action((name: string, flags: { required?: string[]; scoring?: string; fresh?: boolean }, command: Command) =>
      validate(openShell(command), name, flags),
    )
  parent
    .command('quality <version>')
    .description('six dimensions of quality with what each number was made of')
    .action((name: string, _flags: object, command: Command) => quality(openShell(command), name))
  parent
    .command('enhance <version>')
    .description('make a version better, as a new version (default steps: clean, confidence, duplicates)')
    .addOption(
      new Option('--step <name>', 'a step with its defaults; may be repeated')
        .choices(['clean', 'spans', 'confidence', 'duplicates', 'balance', 'enrich'])
        .argParser(several)
        .default([]),
    )
    .option('--steps <json>', 'steps with their options: {"duplicates": {"policy": "majority"}}')
    .option('--dry-run', 'say what would be done, and save nothing')
    .action((name: string, flags: { step: string[]; steps?: string; dryRun?: boolean }, command: Command) =>
      enhance(openShell(command), name, flags),
    )
}
