import fs from 'node:fs'
import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { headOf } from '../../catalog/parsing/text-source.js'
import { detectDialect } from '../../catalog/sources/index.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { ApiClient } from '../client.js'
import { openShell, printProblems, withApi } from '../command.js'
import type { Output } from '../output.js'
import { assertCompleted, watchRun } from '../watch.js'
import { score } from './flags.js'

/** A document as it is sent: its text, or where the server finds it. */
export type SourceDocument = { dialect: string; name: string } & ({ text: string } | { path: string })

/** Bytes of all documents up to which their texts are sent along; more are read by a server on this machine itself. */
const largestSent = 4 * 2 ** 20
/** What a request may hold at all. */
const largestRequest = 60 * 2 ** 20

/** Every file under a path, by its path relative to it (a file by its own name), sorted. */
function filesUnder(target: string): { file: string; name: string }[] {
  const stat = fs.statSync(target, { throwIfNoEntry: false })
  if (!stat) throw new EspalierError('BAD_INPUT', `${target}: no such file or folder`)
  if (!stat.isDirectory()) return [{ file: target, name: path.basename(target) }]
  return fs
    .readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ file, name: path.relative(target, file).split(path.sep).join('/') }))
}

interface FoundFile {
  file: string
  name: string
  dialect: string
  bytes: number
}

/** The documents under the given paths; files of no known dialect are left out, and named. */
export function findDocuments(paths: readonly string[], dialect?: string): { found: FoundFile[]; unknown: string[] } {
  const found: FoundFile[] = []
  const unknown: string[] = []
  for (const { file, name } of paths.flatMap(filesUnder)) {
    const known = dialect ?? detectDialect(name, headOf({ path: file }))
    if (known) found.push({ file, name, dialect: known, bytes: fs.statSync(file).size })
    else unknown.push(file)
  }
  return { found, unknown }
}

/** Documents as they are sent: many or large ones by their paths, where the server is on this machine. */
export function readDocuments(found: readonly FoundFile[], serverUrl: string): SourceDocument[] {
  const bytes = found.reduce((sum, file) => sum + file.bytes, 0)
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(serverUrl).hostname)
  if (bytes > largestSent && isHere) return found.map(({ file, name, dialect }) => ({ dialect, name, path: path.resolve(file) }))
  if (bytes > largestRequest)
    throw new EspalierError(
      'BAD_INPUT',
      `found ${Math.ceil(bytes / 2 ** 20)} MiB of documents, expected up to ${largestRequest / 2 ** 20} for a server elsewhere`,
      {
        remedy: 'Ingest them in parts, or run the command beside the server.',
      },
    )
  return found.map(({ file, name, dialect }) => ({ dialect, name, text: fs.readFileSync(file, 'utf8') }))
}

export interface IngestRequest {
  projectId: string
  systemId: string
  sources: readonly SourceDocument[]
  observedAt?: string | undefined
  complete?: boolean | undefined
  dryRun?: boolean | undefined
  variables?: Record<string, string> | undefined
  defaultDatabase?: string | undefined
  rejectBelow?: number | undefined
}

export interface Counts {
  added: number
  changed: number
  removed: number
  unchanged: number
}

export interface IngestAnswer {
  /** the run that does it, of large documents; null where it is done */
  runId: string | null
  snapshotId: string | null
  nodes: Counts
  edges: Counts
  changes: number
  problems: Problem[]
}

/** Sends documents to the catalog, all or nothing. */
export async function requestIngest(api: ApiClient, request: IngestRequest): Promise<IngestAnswer> {
  const counts = '{ added changed removed unchanged }'
  const { ingest } = await api.request<{ ingest: IngestAnswer }>(
    `mutation ($projectId: ID!, $systemId: ID!, $sources: [DialectInput!], $observedAt: DateTime, $complete: Boolean, $dryRun: Boolean, $variables: JSON,
      $defaultDatabase: String, $rejectBelow: Float) {
      ingest(projectId: $projectId, systemId: $systemId, sources: $sources, observedAt: $observedAt, complete: $complete, dryRun: $dryRun, variables: $variables,
        defaultDatabase: $defaultDatabase, rejectBelow: $rejectBelow) {
        runId snapshotId nodes ${counts} edges ${counts} changes
        problems { severity code where found expected suggestion }
      }
    }`,
    { ...request },
  )
  // Enums are upper case on the wire.
  const problems = ingest.problems.map((each) => ({ ...each, severity: each.severity.toLowerCase() as Problem['severity'] }))
  return { ...ingest, problems }
}

/** Follows the run of a large ingest to its end; its result is the answer. */
async function followIngest(api: ApiClient, output: Output, runId: string): Promise<IngestAnswer> {
  output.say(`the documents are large: run ${runId} ingests them`)
  const { result } = assertCompleted(await watchRun(api, output, runId, 'ingest'))
  return { ...(result as unknown as IngestAnswer), runId }
}

export const describeCounts = ({ added, changed, removed, unchanged }: Counts): string =>
  `${added} added, ${changed} changed, ${removed} removed, ${unchanged} unchanged`

export function addVariable(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

export function ingest(program: Command): void {
  program
    .command('ingest')
    .description('read metadata (DDL, Control-M, JSON, Glean batches, schema files, change histories) into the catalog')
    .argument('<paths...>', 'files and folders; the dialect of each file is recognised')
    .requiredOption('--project <id>', 'project that it belongs to')
    .requiredOption('--system <id>', 'system that it describes')
    .option('--dialect <name>', 'read every file as this dialect')
    .option('--observed-at <time>', 'when it was true (ISO 8601; default now)')
    .option('--complete', 'these are all there is of the system: what is absent is gone')
    .option('--dry-run', 'say what would change, and write nothing')
    .option('--default-database <name>', 'of tables that DDL names without one (default "default")')
    .option('--reject-below <score>', "refuse, with nothing saved, when the project's quality would be below this (0 to 1)", score)
    .option('--var <name=value>', 'value of ${name} in DDL; repeatable', addVariable, {})
    .action(async (paths: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { found, unknown } = findDocuments(paths, flags.dialect)
      for (const file of unknown) process.stderr.write(`  left out: ${file} is of no known dialect (name one with --dialect)\n`)
      if (found.length === 0) throw new EspalierError('BAD_INPUT', `found no document of a known dialect under ${paths.join(', ')}`)
      const { project: projectId, system: systemId, observedAt, complete, dryRun, defaultDatabase, rejectBelow, var: variables } = flags
      const answer = await withApi(shell, async (api) => {
        const sources = readDocuments(found, api.url)
        const answered = await requestIngest(api, {
          ...{ projectId, systemId, sources, observedAt, complete, dryRun, defaultDatabase, rejectBelow, variables },
        })
        return answered.runId === null ? answered : followIngest(api, shell.output, answered.runId)
      })
      const title = answer.snapshotId ? `snapshot ${answer.snapshotId}` : dryRun ? 'dry run: nothing was written' : 'nothing was written'
      if (!shell.output.json) printProblems(answer.problems)
      shell.output.answer(answer, `${title}\nnodes: ${describeCounts(answer.nodes)}\nedges: ${describeCounts(answer.edges)}`)
    })
}
