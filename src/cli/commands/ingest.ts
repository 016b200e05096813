import fs from 'node:fs'
import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { detectDialect } from '../../catalog/sources/index.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { ApiClient } from '../client.js'
import { openShell, printProblems, withApi } from '../command.js'

export interface SourceText {
  dialect: string
  name: string
  text: string
}

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

/** Reads the documents under the given paths; files of no known dialect are left out, and named. */
export function readSources(paths: readonly string[], dialect?: string): { sources: SourceText[]; unknown: string[] } {
  const sources: SourceText[] = []
  const unknown: string[] = []
  for (const { file, name } of paths.flatMap(filesUnder)) {
    const text = fs.readFileSync(file, 'utf8')
    const found = dialect ?? detectDialect(name, text)
    if (found) sources.push({ dialect: found, name, text })
    else unknown.push(file)
  }
  return { sources, unknown }
}

export interface IngestRequest {
  projectId: string
  systemId: string
  sources: readonly SourceText[]
  observedAt?: string | undefined
  complete?: boolean | undefined
  dryRun?: boolean | undefined
  variables?: Record<string, string> | undefined
}

export interface Counts {
  added: number
  changed: number
  removed: number
  unchanged: number
}

export interface IngestAnswer {
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
    `mutation ($projectId: ID!, $systemId: ID!, $sources: [DialectInput!], $observedAt: DateTime, $complete: Boolean, $dryRun: Boolean, $variables: JSON) {
      ingest(projectId: $projectId, systemId: $systemId, sources: $sources, observedAt: $observedAt, complete: $complete, dryRun: $dryRun, variables: $variables) {
        snapshotId nodes ${counts} edges ${counts} changes
        problems { severity code where found expected suggestion }
      }
    }`,
    { ...request },
  )
  // Enums are upper case on the wire.
  const problems = ingest.problems.map((each) => ({ ...each, severity: each.severity.toLowerCase() as Problem['severity'] }))
  return { ...ingest, problems }
}

export const describeCounts = ({ added, changed, removed, unchanged }: Counts): string =>
  `${added} added, ${changed} changed, ${removed} removed, ${unchanged} unchanged`

function addVariable(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

export function ingest(program: Command): void {
  program
    .command('ingest')
    .description('read metadata (Hive DDL, Control-M XML, JSON tables) into the catalog')
    .argument('<paths...>', 'files and folders; the dialect of each file is recognised')
    .requiredOption('--project <id>', 'project that it belongs to')
    .requiredOption('--system <id>', 'system that it describes')
    .option('--dialect <name>', 'read every file as this dialect')
    .option('--observed-at <time>', 'when it was true (ISO 8601; default now)')
    .option('--complete', 'these are all there is of the system: what is absent is gone')
    .option('--dry-run', 'say what would change, and write nothing')
    .option('--var <name=value>', 'value of ${name} in DDL; repeatable', addVariable, {})
    .action(async (paths: string[], flags, command: Command) => {
      const shell = openShell(command)
      const { sources, unknown } = readSources(paths, flags.dialect)
      for (const file of unknown) process.stderr.write(`  left out: ${file} is of no known dialect (name one with --dialect)\n`)
      if (sources.length === 0) throw new EspalierError('BAD_INPUT', `found no document of a known dialect under ${paths.join(', ')}`)
      const { project: projectId, system: systemId, observedAt, complete, dryRun, var: variables } = flags
      const request = { projectId, systemId, sources, observedAt, complete, dryRun, variables }
      const answer = await withApi(shell, (api) => requestIngest(api, request))
      const title = answer.snapshotId ? `snapshot ${answer.snapshotId}` : dryRun ? 'dry run: nothing was written' : 'nothing was written'
      if (!shell.output.json) printProblems(answer.problems)
      shell.output.answer(answer, `${title}\nnodes: ${describeCounts(answer.nodes)}\nedges: ${describeCounts(answer.edges)}`)
    })
}
