import fs from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { convertFile } from '../../datasets/exchange/convert.js'
import { validateFile } from '../../datasets/exchange/validate-file.js'
import { spanUnits } from '../../datasets/formats/format.js'
import { formatNames, formatOfFile } from '../../datasets/formats/index.js'
import { type DatasetKind, datasetKinds } from '../../datasets/version.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { ApiClient } from '../client.js'
import { openShell, printProblems, type Shell, withApi } from '../command.js'
import { findVersion } from '../dataset-names.js'
import { atomically } from '../download.js'
import { assertCompleted, watchRun } from '../watch.js'
import { reportText } from './dataset-checks.js'

interface ReadFlags {
  kind?: DatasetKind
  format?: string
  map: string[]
  spans?: string
  keepUnknown?: boolean
}

interface ImportFlags extends ReadFlags {
  project: string
  name?: string
  description?: string
  append?: boolean
}

/** What the import answers, at once or as the result of a run. */
interface Imported {
  is_new?: boolean
  run_id?: string
  version?: { id: string; number: string; size: number }
  problems?: Problem[]
}

const headBytes = 65_536

/** The first bytes of a file; BAD_INPUT when it cannot be read. */
function headOf(file: string): Buffer {
  try {
    const handle = fs.openSync(file, 'r')
    const head = Buffer.alloc(headBytes)
    const bytes = fs.readSync(handle, head, 0, headBytes, 0)
    fs.closeSync(handle)
    return head.subarray(0, bytes)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: ${(cause as Error).message}`, { cause, remedy: 'Name a file of examples.' })
  }
}

/** Ranking lists give themselves away; everything else is taken for labeled text unless it is said what it is. */
const kindOf = (file: string): DatasetKind => (/"candidates"\s*:\s*\[/.test(headOf(file).toString('utf8')) ? 'ranking' : 'labeled-text')

/** `intent=expected_intent`, several times. */
const collect = (pair: string, before: string[]) => [...before, pair]

async function importInto(api: ApiClient, shell: Shell, file: string, flags: ImportFlags): Promise<Imported & { id: string }> {
  const { project, name, description, append, map, format, spans, keepUnknown } = flags
  const datasetName = name ?? path.basename(file).split('.')[0]!
  const query = new URLSearchParams({
    project_id: project,
    name: datasetName,
    kind: flags.kind ?? kindOf(file),
    file: path.basename(file),
    ...(description !== undefined && { description }),
    ...(format !== undefined && { format }),
    ...(map.length > 0 && { mapping: map.join(',') }),
    ...(spans !== undefined && { spans }),
    ...(keepUnknown && { keep_unknown: 'true' }),
    ...(append && { mode: 'append' }),
  })
  const answer = (await (await api.send('POST', `/api/training-data/import?${query}`, fs.createReadStream(file))).json()) as Imported
  if (!answer.run_id) return { ...answer, id: answer.version!.id }
  const run = assertCompleted(await watchRun(api, shell.output, answer.run_id, `import ${datasetName}`))
  const { versionId, isNew, number, rows } = run.result as { versionId: string; isNew: boolean; number: string; rows: number }
  return { ...answer, is_new: isNew, version: { id: versionId, number, size: rows }, id: versionId }
}

async function runImport(shell: Shell, file: string, flags: ImportFlags): Promise<void> {
  headOf(file)
  const { answer, version } = await withApi(shell, async (api) => {
    const done = await importInto(api, shell, file, flags)
    return { answer: done, version: await findVersion(api, done.id) }
  })
  printProblems(answer.problems ?? [])
  const { id, datasetName, number, rowCount } = version
  shell.output.answer(
    { isNew: answer.is_new, version, problems: answer.problems ?? [] },
    `${answer.is_new ? 'saved' : 'there already:'} ${datasetName} ${number}, ${rowCount} examples: ${id}`,
  )
}

interface ExportFlags {
  format?: string
  spans: string
  metadata: boolean
}

const exportQuery = `query ($id: ID!, $format: String!, $meta: Boolean!, $spans: SpanUnit!) {
  datasetExport(versionId: $id, format: $format, includeMetadata: $meta, spans: $spans) { url fileName loses } }`
const enumName = (name: string) => name.toUpperCase().replaceAll('-', '_')

async function runExport(shell: Shell, name: string, target: string | undefined, flags: ExportFlags): Promise<void> {
  const format = flags.format ?? (target === undefined ? 'jsonl' : formatOfFile(target).name)
  const done = await withApi(shell, async (api) => {
    const { id } = await findVersion(api, name)
    const variables = { id, format, meta: flags.metadata, spans: enumName(flags.spans) }
    type Answer = { datasetExport: { url: string; fileName: string; loses: string | null } }
    const { datasetExport } = await api.request<Answer>(exportQuery, variables)
    const file = target ?? datasetExport.fileName
    const response = await api.get(datasetExport.url)
    await atomically(file, (draft) => pipeline(response.body ?? [], fs.createWriteStream(draft, { flags: 'wx' })))
    return { file, bytes: fs.statSync(file).size, loses: datasetExport.loses }
  })
  const loss = done.loses ? `; the format loses ${done.loses}` : ''
  shell.output.answer(done, `wrote ${done.file}, ${done.bytes} bytes${loss}`)
}

async function runConvert(shell: Shell, from: string, to: string, flags: ReadFlags & { to?: string }): Promise<void> {
  headOf(from)
  const conversion = await convertFile({
    source: fs.createReadStream(from),
    ...readingOf(from, flags),
    to: flags.to ?? formatOfFile(to).name,
    title: path.basename(from).split('.')[0]!,
  })
  await atomically(to, (draft) => pipeline(conversion.bytes, fs.createWriteStream(draft, { flags: 'wx' })))
  const bytes = fs.statSync(to).size
  const loss = conversion.to.loses ? `; ${conversion.to.name} loses ${conversion.to.loses}` : ''
  shell.output.answer(
    { file: to, bytes, from: conversion.from.name, to: conversion.to.name },
    `wrote ${to} (${conversion.to.name}), ${bytes} bytes${loss}`,
  )
}

async function runCheck(shell: Shell, file: string, flags: ReadFlags & { required?: string[] }): Promise<void> {
  headOf(file)
  const { format, mapping, report } = await validateFile({
    open: () => fs.createReadStream(file),
    ...readingOf(file, flags),
    options: flags.required ? { requiredLabels: flags.required } : {},
  })
  shell.output.answer({ file, format: format.name, mapping, ...report }, reportText(path.basename(file), report))
  if (!report.passed) process.exitCode = 1
}

/** How a file is read, by what was said of it. */
const readingOf = (file: string, { kind, format, map, spans, keepUnknown }: ReadFlags) => ({
  file: path.basename(file),
  kind: kind ?? kindOf(file),
  ...(format !== undefined && { format }),
  ...(map.length > 0 && { mapping: Object.fromEntries(map.map((pair) => pair.split('='))) }),
  ...(spans !== undefined && { spans: spans as (typeof spanUnits)[number] }),
  ...(keepUnknown && { keepUnknown: true }),
})

const reading = (command: Command): Command =>
  command
    .addOption(new Option('--kind <kind>', 'what a row is (default: ranking lists are seen, else labeled-text)').choices(datasetKinds))
    .option('--format <name>', `of the file (default: what it looks like): ${formatNames.join(', ')}`)
    .option('--map <field=field>', 'field of the file = field of the row, as intent=expected_intent; may be repeated', collect, [])
    .addOption(new Option('--spans <unit>', 'how the file counts entity spans').choices(spanUnits))
    .option('--keep-unknown', 'put unknown fields into metadata')

/** Commands that read and write files. */
export function datasetFiles(parent: Command): void {
  reading(
    parent
      .command('import <file>')
      .description('save a file of examples as a new version of a dataset')
      .requiredOption('--project <id>', 'project it belongs to')
      .option('--name <name>', "the dataset's name (default the file's)")
      .option('--description <text>', 'of the dataset')
      .option('--append', 'add to the rows of the latest version'),
  ).action((file: string, flags: ImportFlags, command: Command) => runImport(openShell(command), file, flags))
  parent
    .command('export <version> [file]')
    .description('write a version (a name, name@1.2, name@tag, an id) to a file')
    .option('--format <name>', 'what to write (default: by the name of the file, else jsonl); pickle is refused')
    .addOption(new Option('--spans <unit>', 'how to count entity spans').choices(spanUnits).default('utf16'))
    .option('--no-metadata', 'leave out what the file says of itself')
    .action((name: string, file: string | undefined, flags: ExportFlags, command: Command) =>
      runExport(openShell(command), name, file, flags),
    )
  reading(parent.command('check <file>').description('judge a file by every rule, without a server or a dataset; status 1 on an error'))
    .option('--required <labels...>', 'label sets that every row must have')
    .action((file: string, flags: ReadFlags & { required?: string[] }, command: Command) => runCheck(openShell(command), file, flags))
  reading(parent.command('convert <from> <to>').description('write a file in another format, without a server or a dataset'))
    .option('--to <name>', 'format to write (default: by the name of the file)')
    .action((from: string, to: string, flags: ReadFlags & { to?: string }, command: Command) =>
      runConvert(openShell(command), from, to, flags),
    )
}
