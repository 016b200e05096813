import fs from 'node:fs/promises'
import path from 'node:path'
import { EspalierError, messageOf } from '../../util/error.js'
import { sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import { type FileEntry, parseManifest } from '../manifest.js'
import type { Verification } from '../verify.js'
import { readArchive } from './archive.js'
import { manifestPath, parseReleaseManifest, releaseId, releasePath } from './manifest.js'

/** Files of a bundle's folder, by their paths relative to it. */
async function readFolder(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    files.set(path.relative(folder, file).split(path.sep).join('/'), await fs.readFile(file))
  }
  return files
}

/** Without the one folder that everything in a package lies in. */
function withoutRoot(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const roots = new Set([...files.keys()].map((name) => name.split('/')[0]!))
  const [root] = roots
  if (roots.size !== 1 || files.has(root!)) return new Map(files)
  return new Map([...files].map(([name, bytes]) => [name.slice(root!.length + 1), bytes]))
}

const json = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

/** What the bundle's own manifest says that it consists of. */
function readClaims(files: ReadonlyMap<string, Uint8Array>): { id: string; own: string; claims: FileEntry[] } {
  const release = files.get(releasePath)
  const manifest = files.get(manifestPath)
  try {
    if (release) {
      const { version, components } = parseReleaseManifest(json(release))
      return { id: releaseId(version), own: releasePath, claims: components.flatMap((c) => c.files) }
    }
    if (manifest) {
      const { component, version, files: claims } = parseManifest(json(manifest))
      return { id: `${component}@${version}`, own: manifestPath, claims }
    }
  } catch (cause) {
    const own = release ? releasePath : manifestPath
    throw new EspalierError('CORRUPT', `${own}: ${messageOf(cause)}`, { cause, remedy: 'Download the bundle again.' })
  }
  throw new EspalierError('BAD_INPUT', `found neither ${releasePath} nor ${manifestPath} among ${files.size} files`, {
    remedy: 'Name the folder or the tar.gz of an artifact or a release.',
  })
}

function checkFile(id: string, { path: name, size, sha256: expected }: FileEntry, bytes: Uint8Array | undefined): Problem[] {
  const where = `${id}: ${name}`
  const suggestion = 'Download it again.'
  if (!bytes) return [problem({ code: 'file-missing', where, found: 'nothing', expected: `${size} bytes`, suggestion })]
  if (bytes.length !== size)
    return [problem({ code: 'file-size', where, found: `${bytes.length} bytes`, expected: `${size} bytes`, suggestion })]
  const found = sha256(bytes)
  return found === expected ? [] : [problem({ code: 'file-changed', where, found, expected, suggestion })]
}

/** Checks the files of a bundle against its own manifest: each that is missing, changed or not named is a problem. */
export function checkFiles(files: ReadonlyMap<string, Uint8Array>): Verification {
  const { id, own, claims } = readClaims(files)
  const checked = claims.map((claim) => ({ claim, problems: checkFile(id, claim, files.get(claim.path)) }))
  const named = new Set([own, ...claims.map((claim) => claim.path)])
  const strangers = [...files.keys()].filter((name) => !named.has(name))
  return {
    artifactId: id,
    files: checked.map(({ claim, problems }) => ({ path: claim.path, sha256: claim.sha256, isIntact: problems.length === 0 })),
    problems: [
      ...checked.flatMap((each) => each.problems),
      ...strangers.map((name) =>
        problem({
          severity: 'warning',
          code: 'file-unknown',
          where: `${id}: ${name}`,
          found: 'a file that the manifest does not name',
          expected: 'none',
        }),
      ),
    ],
  }
}

/**
 * Checks a bundle's folder or its tar.gz where it lies, without a server: every byte is hashed again and compared with the manifest in it.
 * (That the manifest itself is the published one, its digest tells; the server knows it.)
 */
export async function checkBundle(place: string): Promise<Verification & { manifestDigest: string }> {
  const isFolder = (await fs.stat(place)).isDirectory()
  const files = isFolder ? await readFolder(place) : withoutRoot(await readArchive(await fs.readFile(place)))
  const found = checkFiles(files)
  return { ...found, manifestDigest: sha256((files.get(releasePath) ?? files.get(manifestPath))!) }
}
