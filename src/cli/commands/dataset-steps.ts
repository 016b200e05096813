import type { Command } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, type Shell, withApi } from '../command.js'
import { describeVersion, findVersion, type VersionView, versionFields } from '../dataset-names.js'
import { readDocument } from '../read-document.js'

interface StepFlags {
  name: string
  split?: string
  part?: string
  to?: string
}

/** A list of steps from a YAML or JSON file; what a step may be, the server says. */
function stepsOf(file: string): unknown[] {
  const parsed = readDocument(file, 'steps')
  if (Array.isArray(parsed)) return parsed
  throw new EspalierError('BAD_INPUT', `${file}: expected a list of steps`, {
    remedy: 'Write steps as `- { op: z-score, columns: [amount] }`.',
  })
}

interface Operations {
  id: string
  name: string
  hash: string
  part: string | null
  fitted: { rows: number; steps: unknown[] }
}

const fields = 'id name hash part fitted'
const variables = '$id: ID!, $steps: [JSON!]!, $name: String!, $split: String, $part: String'
const given = 'versionId: $id, steps: $steps, name: $name, split: $split, part: $part'

const describe = ({ name, part, hash, fitted }: Operations) =>
  `steps ${name}: ${fitted.steps.length} fitted on ${fitted.rows} rows${part === null ? '' : ` of the part ${part}`}, hash ${hash.slice(0, 12)}`

async function steps(shell: Shell, version: string, file: string, { to, ...flags }: StepFlags): Promise<void> {
  const list = stepsOf(file)
  await withApi(shell, async (api) => {
    const { id } = await findVersion(api, version)
    const asked = { id, steps: list, ...flags }
    if (to === undefined) {
      const query = `mutation (${variables}) { fitDatasetOperations(${given}) { ${fields} } }`
      const { fitDatasetOperations: made } = await api.request<{ fitDatasetOperations: Operations }>(query, asked)
      shell.output.answer(made, describe(made))
      return
    }
    const query = `mutation (${variables}, $to: String!) { operateDataset(${given}, datasetName: $to) {
      isNew version { ${versionFields} } operations { ${fields} } } }`
    type Answer = { operateDataset: { isNew: boolean; version: VersionView; operations: Operations } }
    const { operateDataset: made } = await api.request<Answer>(query, { ...asked, to })
    shell.output.answer(made, `${describe(made.operations)}\n${describeVersion(made.version)}`)
  })
}

/** `espalier dataset steps`: what is done to the rows of a table, learned from its training rows. */
export function datasetSteps(parent: Command): void {
  parent
    .command('steps <version> <file>')
    .description('fit steps (scale, encode, select, …) on the training rows of a table, and keep them')
    .option('--name <name>', 'of the fitted steps', 'default')
    .option('--split <name>', 'stored split whose part is fitted on (default: all rows are training rows)')
    .option('--part <name>', 'the part (default train)')
    .option('--to <dataset>', 'save the rows that come of it as a version of this dataset')
    .action((version: string, file: string, flags: StepFlags, command: Command) => steps(openShell(command), version, file, flags))
}
