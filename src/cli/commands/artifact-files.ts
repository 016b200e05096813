import fs from 'node:fs'
import fsp from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { bundleName } from '../../artifacts/release/bundle.js'
import { checkBundle } from '../../artifacts/release/check.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import { openShell, printProblems, type Shell, withApi } from '../command.js'
import { atomically, download, refuseExisting } from '../download.js'
import { formatTable } from '../output.js'

interface Package {
  name: string
  digest: string
  size: string
  url: string
}

function packageCommand(parent: Command): void {
  parent
    .command('package')
    .description('an artifact or a release with every file that it needs as one tar.gz (the same bytes every time)')
    .argument('<id>', 'of an artifact (ranker@1) or a release (release:1)')
    .option('--output <file>', 'default: its name in this folder')
    .action(async (id: string, flags: { output?: string }, command: Command) => {
      const shell = openShell(command)
      const made = await withApi(shell, async (api) => {
        const query = 'mutation ($id: ID!) { packageArtifact(id: $id) { name digest size url } }'
        const { packageArtifact: found } = await api.request<{ packageArtifact: Package }>(query, { id })
        const output = path.resolve(flags.output ?? found.name)
        await atomically(output, (draft) => download(api, found.url, found.digest, draft))
        return { id, output, sha256: found.digest, bytes: Number(found.size) }
      })
      shell.output.answer(made, `${made.output}  ${made.bytes} bytes  sha256 ${made.sha256}`)
    })
}

interface BundleFile {
  path: string
  size: string
  sha256: string
  url: string
}

function bundle(parent: Command): void {
  parent
    .command('bundle')
    .description('an artifact or a release as a folder of files')
    .argument('<id>', 'of an artifact (ranker@1) or a release (release:1)')
    .option('--output <folder>', 'default: its name in this folder')
    .action(async (id: string, flags: { output?: string }, command: Command) => {
      const shell = openShell(command)
      const output = path.resolve(flags.output ?? bundleName(id))
      await refuseExisting(output)
      const files = await withApi(shell, async (api) => {
        const query = 'query ($id: ID!) { bundleFiles(id: $id) { path size sha256 url } }'
        const { bundleFiles } = await api.request<{ bundleFiles: BundleFile[] }>(query, { id })
        await atomically(output, async (draft) => {
          for (const file of bundleFiles) {
            const target = path.join(draft, ...file.path.split('/'))
            if (!target.startsWith(draft + path.sep))
              throw new EspalierError('CORRUPT', `${id}: the file "${file.path}" is outside its folder`)
            await fsp.mkdir(path.dirname(target), { recursive: true })
            await download(api, file.url, file.sha256, target)
          }
        })
        return bundleFiles
      })
      const listed = files.map(({ path, size, sha256 }) => ({ path, size: Number(size), sha256 }))
      const rows = listed.map((file) => [file.path, file.size, file.sha256])
      shell.output.answer({ id, output, files: listed }, `${output}\n${formatTable(['file', 'bytes', 'sha256'], rows)}`)
    })
}

interface Verification {
  files: { path: string; sha256: string; isIntact: boolean }[]
  problems: Problem[]
}

async function verifyOnServer(shell: Shell, id: string): Promise<Verification> {
  const query = `query ($id: ID!) { verifyArtifact(id: $id) {
    files { path sha256 isIntact } problems { severity code where found expected suggestion } } }`
  const { verifyArtifact } = await withApi(shell, (api) => api.request<{ verifyArtifact: Verification }>(query, { id }))
  const problems = verifyArtifact.problems.map((each) => ({ ...each, severity: each.severity.toLowerCase() as Problem['severity'] }))
  return { ...verifyArtifact, problems }
}

function verify(parent: Command): void {
  parent
    .command('verify')
    .description('read and hash every byte again: of an artifact, a release, or a bundle or package that lies here')
    .argument('<id|path>', 'an id, or the folder of a bundle, or a tar.gz')
    .action(async (what: string, _flags, command: Command) => {
      const shell = openShell(command)
      const found = fs.existsSync(what) ? await checkBundle(what) : await verifyOnServer(shell, what)
      if (!shell.output.json) printProblems(found.problems)
      const rows = found.files.map((file) => [file.path, file.isIntact ? 'intact' : 'CORRUPT', file.sha256])
      shell.output.answer(found, formatTable(['file', 'state', 'sha256'], rows))
      if (found.problems.some((each) => each.severity === 'error')) process.exitCode = 1
    })
}

function paritySamples(parent: Command): void {
  parent
    .command('parity-samples')
    .description('inputs, the answers that any runtime must give, and the tolerance')
    .argument('<id>', 'of an artifact or a release')
    .option('--output <file>', 'default: standard output')
    .action(async (id: string, flags: { output?: string }, command: Command) => {
      const shell = openShell(command)
      const query = 'query ($id: ID!) { paritySamples(id: $id) }'
      const { paritySamples: samples } = await withApi(shell, (api) => api.request<{ paritySamples: unknown[] }>(query, { id }))
      const text = JSON.stringify(samples)
      if (flags.output === undefined) return shell.output.answer(samples, text)
      await atomically(flags.output, (draft) => fsp.writeFile(draft, text, { flush: true }))
      shell.output.answer({ id, output: flags.output, bytes: Buffer.byteLength(text) }, `${flags.output}  ${Buffer.byteLength(text)} bytes`)
    })
}

export const fileCommands = [bundle, packageCommand, verify, paritySamples]
