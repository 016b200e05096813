import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import { type Problem, problem } from '../util/problem.js'
import { encodeManifest } from './manifest.js'
import { type Artifact, readArtifact } from './store.js'

/** The slice of a blob store that reading needs. */
export interface ReadsBlobs {
  get(digest: string): Promise<Uint8Array>
}

export interface Verification {
  artifactId: string
  files: { path: string; sha256: string; isIntact: boolean }[]
  problems: Problem[]
}

/** Reads and hashes every byte of an artifact again, its manifest included. Problems are returned; an unknown id is NOT_FOUND. */
export async function verifyArtifact(sql: Sql, blobs: ReadsBlobs, artifactId: string): Promise<Verification> {
  const artifact = await readArtifact(sql, artifactId)
  const entries = [
    ...artifact.manifest.files,
    { path: 'manifest.json', sha256: artifact.manifestDigest, size: encodeManifest(artifact.manifest).bytes.length },
  ]
  const checks = await Promise.all(entries.map((entry) => checkFile(blobs, artifactId, entry)))
  const problems = checks.flatMap((c) => c.problems)
  if (encodeManifest(artifact.manifest).digest !== artifact.manifestDigest)
    problems.push(
      problem({
        code: 'manifest-changed',
        where: `${artifactId}: manifest.json`,
        found: 'a row whose manifest does not hash to its digest',
        expected: artifact.manifestDigest,
        suggestion: 'Publish the artifact again from its run.',
      }),
    )
  return { artifactId, problems, files: checks.map(({ path, sha256, problems: own }) => ({ path, sha256, isIntact: own.length === 0 })) }
}

async function checkFile(blobs: ReadsBlobs, artifactId: string, file: Artifact['manifest']['files'][number]) {
  const where = `${artifactId}: ${file.path}`
  const suggestion = 'Restore the file from a backup, or publish the artifact again from its run.'
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
