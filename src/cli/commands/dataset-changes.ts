import fs from 'node:fs'
import { type Command, Option } from 'commander'
import { EspalierError } from '../../util/error.js'
import { openShell, type Shell, withApi } from '../command.js'
import { describeVersion, findVersion, type VersionView, versionFields } from '../dataset-names.js'
import { readDocument } from '../read-document.js'

interface SplitFlags {
  name: string
  method: string
  ratios?: string
  by?: string
  seed: string
  byContent?: boolean
}

async function split(shell: Shell, name: string, flags: SplitFlags): Promise<void> {
  const options = {
    method: flags.method,
    seed: Number(flags.seed),
    ...(flags.ratios && { ratios: flags.ratios.split(',').map(Number) }),
    ...(flags.by && { by: flags.by }),
    ...(flags.byContent && { byContent: true }),
  }
  const query = `mutation ($id: ID!, $name: String!, $options: JSON) { splitDataset(versionId: $id, name: $name, options: $options) {
    id name counts options membershipHash problems { severity where found expected } } }`
  const done = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    type Answer = { splitDataset: { name: string; counts: Record<string, number>; problems: { found: string }[] } }
    return (await api.request<Answer>(query, { id, name: flags.name, options })).splitDataset
  })
  const counts = Object.entries(done.counts).map(([part, rows]) => `${part} ${rows}`)
  shell.output.answer(done, [`split ${done.name}: ${counts.join(', ')}`, ...done.problems.map((p) => `  leak: ${p.found}`)].join('\n'))
}

/** Rows of a JSON Lines file. */
function rowsOf(file: string): unknown[] {
  try {
    const lines = fs.readFileSync(file, 'utf8').split('\n')
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: ${(cause as Error).message}`, { cause, remedy: 'Name a file of JSON Lines.' })
  }
}

async function derive(shell: Shell, name: string, file: string, flags: { name?: string; description?: string }): Promise<void> {
  const modifications = readDocument(file, 'modifications')
  const query = `mutation ($id: ID!, $modifications: JSON!, $name: String, $description: String) {
    createDatasetVersionFrom(versionId: $id, modifications: $modifications, name: $name, description: $description) {
      isNew version { ${versionFields} } } }`
  const made = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    type Answer = { createDatasetVersionFrom: { isNew: boolean; version: VersionView } }
    return (await api.request<Answer>(query, { id, modifications, ...flags })).createDatasetVersionFrom
  })
  shell.output.answer(made, made.isNew ? describeVersion(made.version) : `nothing to change: ${describeVersion(made.version)}`)
}

interface EditFlags {
  add?: string
  set: string[]
  remove?: string[]
  description?: string
}

/** `key.field=value`: the value is JSON, or else a text. */
function changesOf(pairs: readonly string[]): Record<string, Record<string, unknown>> {
  const changes: Record<string, Record<string, unknown>> = {}
  for (const pair of pairs) {
    const [, key, field, value] = /^([^.=]+)\.(\w+)=(.*)$/s.exec(pair) ?? []
    if (key === undefined) throw new EspalierError('BAD_INPUT', `--set: found ${pair}, expected <row key>.<field>=<value>`)
    let parsed: unknown = value
    try {
      parsed = JSON.parse(value!)
    } catch {
      // a text that is no JSON is meant as it stands
    }
    changes[key] = { ...changes[key], [field!]: parsed }
  }
  return changes
}

async function edit(shell: Shell, name: string, { add, set, remove, description }: EditFlags): Promise<void> {
  const query = `mutation ($id: ID!, $add: [JSON!], $change: JSON, $remove: [String!], $description: String) {
    editDataset(versionId: $id, add: $add, change: $change, remove: $remove, description: $description) {
      isNew added changed removed version { ${versionFields} } } }`
  const done = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    type Answer = { editDataset: { added: number; changed: number; removed: number; version: VersionView } }
    const variables = { id, add: add ? rowsOf(add) : undefined, change: set.length > 0 ? changesOf(set) : undefined, remove, description }
    return (await api.request<Answer>(query, variables)).editDataset
  })
  shell.output.answer(done, `${done.added} added, ${done.changed} changed, ${done.removed} removed: ${describeVersion(done.version)}`)
}

async function tag(shell: Shell, name: string, label: string): Promise<void> {
  const query = `mutation ($id: ID!, $tag: String!) { tagDatasetVersion(versionId: $id, tag: $tag) { ${versionFields} } }`
  const version = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    return (await api.request<{ tagDatasetVersion: VersionView }>(query, { id, tag: label })).tagDatasetVersion
  })
  shell.output.answer(version, `${version.datasetName}@${label} is ${describeVersion(version)}`)
}

async function restore(shell: Shell, name: string): Promise<void> {
  const query = `mutation ($id: ID!) { restoreDatasetVersion(versionId: $id) { isNew version { ${versionFields} } } }`
  const done = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    return (await api.request<{ restoreDatasetVersion: { isNew: boolean; version: VersionView } }>(query, { id })).restoreDatasetVersion
  })
  shell.output.answer(done, `${done.isNew ? 'restored as' : 'is the latest already:'} ${describeVersion(done.version)}`)
}

async function remove(shell: Shell, name: string, yes: boolean): Promise<void> {
  const done = await withApi(shell, async (api) => {
    const { datasetId, datasetName, projectId } = await findVersion(api, name)
    if (!yes)
      throw new EspalierError('BAD_INPUT', `delete: "${datasetName}" of project "${projectId}" would go with all its versions`, {
        remedy: 'Add --yes.',
      })
    const query = 'mutation ($id: ID!) { deleteDataset(id: $id) { id versions } }'
    return {
      name: datasetName,
      ...(await api.request<{ deleteDataset: { id: string; versions: number } }>(query, { id: datasetId })).deleteDataset,
    }
  })
  shell.output.answer(done, `deleted ${done.name} with ${done.versions} version(s)`)
}

const several = (value: string, before: string[]) => [...before, value]

/** Commands that change what there is. */
export function datasetChanges(parent: Command): void {
  parent
    .command('split <version>')
    .description('split a version and keep the split')
    .option('--name <name>', 'of the split', 'default')
    .addOption(new Option('--method <name>', 'how').choices(['random', 'stratified', 'group', 'time']).default('random'))
    .option('--ratios <list>', 'shares that sum to 1 (default 0.8,0.1,0.1)')
    .option('--by <field>', 'label, group or moment that decides')
    .option('--seed <n>', 'of the draw', '0')
    .option('--by-content', 'keep rows where they are when the dataset grows')
    .action((name: string, flags: SplitFlags, command: Command) => split(openShell(command), name, flags))
  parent
    .command('edit <version>')
    .description('add, change and remove rows of the latest version, as a new one')
    .option('--add <file>', 'rows to add (JSON Lines)')
    .option('--set <key.field=value>', 'change a field of a row (keys: `dataset show --json`); may be repeated', several, [])
    .option('--remove <keys...>', 'keys of rows to take out')
    .option('--description <text>', 'of the new version')
    .action((name: string, flags: EditFlags, command: Command) => edit(openShell(command), name, flags))
  parent
    .command('tag <version> <tag>')
    .description('name a version; a tag that there is moves to it')
    .action((name: string, label: string, _flags: object, command: Command) => tag(openShell(command), name, label))
  parent
    .command('derive <version> <file>')
    .description('a version made of another by modifications: merge, filter, drop, mappings of labels, confidence, sample')
    .option('--name <dataset>', 'that gets it (default: the same)')
    .option('--description <text>', 'of the new version')
    .action((version: string, file: string, flags: { name?: string; description?: string }, command: Command) =>
      derive(openShell(command), version, file, flags),
    )
  parent
    .command('restore <version>')
    .description('make the rows of an old version those of a new one')
    .action((name: string, _flags: object, command: Command) => restore(openShell(command), name))
  parent
    .command('delete <dataset>')
    .description('take a dataset out with all its versions')
    .option('--yes', 'do it')
    .action((name: string, { yes }: { yes?: boolean }, command: Command) => remove(openShell(command), name, yes ?? false))
}
