import type { BlobStore } from '../blobs/blob-store.js'
import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import { type Problem, problem } from '../util/problem.js'
import type { FileEntry } from './manifest.js'
import { readBundle } from './release/bundle.js'

export interface Verification {
  /** of the artifact or the release */
  artifactId: string
  files: { path: string; sha256: string; isIntact: boolean }[]
  problems: Problem[]
}

const suggestion = 'Restore the file from a backup, or publish the artifact again from its run.'

/**
 * Reads and hashes every byte of an artifact or a release again, manifests included. Problems are returned, each naming its file; an
 * unknown id is NOT_FOUND.
 */
export async function verifyArtifact(sql: Sql, blobs: Pick<BlobStore, 'get'>, id: string): Promise<Verification> {
  const { files, rowDigest } = await readBundle(sql, id)
  const checks: Awaited<ReturnType<typeof checkFile>>[] = []
  for (const file of files) checks.push(await checkFile(blobs, id, file))
  const problems = checks.flatMap((c) => c.problems)
  const own = files[0]!
  if (rowDigest !== own.sha256)
    problems.push(
      problem({
        code: 'manifest-changed',
        where: `${id}: ${own.path}`,
        found: 'a row whose manifest does not hash to its digest',
        expected: own.sha256,
        suggestion: 'Publish the artifact again from its run.',
      }),
    )
  return {
    artifactId: id,
    problems,
    files: checks.map(({ path, sha256, problems: found }) => ({ path, sha256, isIntact: found.length === 0 })),
  }
}

async function checkFile(blobs: Pick<BlobStore, 'get'>, id: string, file: FileEntry) {
  const where = `${id}: ${file.path}`
  const problems: Problem[] = []
  try {
    const bytes = await blobs.get(file.sha256)
    if (sha256(bytes) !== file.sha256)
      problems.push(problem({ code: 'file-changed', where, found: sha256(bytes), expected: file.sha256, suggestion }))
    else if (bytes.length !== file.size)
      problems.push(problem({ code: 'file-size', where, found: `${bytes.length} bytes`, expected: `${file.size} bytes`, suggestion }))
  } catch (thrown) {
    if (!(thrown instanceof EspalierError) || (thrown.code !== 'CORRUPT' && thrown.code !== 'NOT_FOUND')) throw thrown
    problems.push(problem({ code: 'file-unreadable', where, found: thrown.message, expected: `SHA-256 ${file.sha256}`, suggestion }))
  }
  return { path: file.path, sha256: file.sha256, problems }
}
