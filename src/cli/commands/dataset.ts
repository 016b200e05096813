import fs from 'node:fs'
import path from 'node:path'
import { type Command, Option } from 'commander'
import { datasetKinds } from '../../datasets/version.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import { openShell, printProblems, withApi } from '../command.js'

interface Flags {
  project: string
  kind: string
  name?: string
}

interface Answer {
  importDataset: { isNew: boolean; version: { id: string; datasetName: string; number: string; rowCount: string }; problems: Problem[] }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: ${(cause as Error).message}`, { cause, remedy: 'Name a file of examples (JSONL).' })
  }
}

const mutation = `mutation ($projectId: ID!, $name: String!, $kind: DatasetKind!, $text: String!, $file: String) {
  importDataset(projectId: $projectId, name: $name, kind: $kind, text: $text, file: $file) {
    isNew version { id datasetName number rowCount } problems { severity code where found expected suggestion } } }`

export function dataset(program: Command): void {
  const parent = program.command('dataset').description('examples to learn from')
  parent
    .command('import <file>')
    .description('save a file of examples (JSONL) as a new version of a dataset')
    .requiredOption('--project <id>', 'project it belongs to')
    .addOption(new Option('--kind <kind>', 'what a line holds').choices(datasetKinds).default('ranking'))
    .option('--name <name>', "the dataset's name (default the file's)")
    .action(async (file: string, { project, kind, name }: Flags, command: Command) => {
      const shell = openShell(command)
      const variables = { projectId: project, name: name ?? path.parse(file).name, kind: kind.toUpperCase(), text: readText(file), file }
      const { importDataset: answer } = await withApi(shell, (api) => api.request<Answer>(mutation, variables))
      printProblems(answer.problems)
      const { id, datasetName, number, rowCount } = answer.version
      shell.output.answer(answer, `${answer.isNew ? 'saved' : 'there already:'} ${datasetName} ${number}, ${rowCount} examples: ${id}`)
    })
}
