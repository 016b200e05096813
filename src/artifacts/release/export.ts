import type { BlobStore } from '../../blobs/blob-store.js'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { describeProblem, type Problem, problem } from '../../util/problem.js'
import { readEnvironment } from '../environment.js'
import { artifactName, encodeManifest, versionAt } from '../manifest.js'
import type { Transactions } from '../promotion.js'
import { type Alias, type Artifact, readAlias, readArtifact } from '../store.js'
import { verifyArtifact } from '../verify.js'
import { encodeReleaseManifest, manifestPath, type ReleaseManifest, releaseId } from './manifest.js'
import { type Release, saveRelease } from './release-store.js'

export interface ExportRequest {
  /** what the release holds: each by the artifact's id, or by whatever the alias names */
  components: readonly { component: string; artifactId?: string }[]
  /** default production */
  alias?: Alias
  /** default: the UTC moment of `now` */
  version?: string
  /** where its package is published; default the path on this server */
  publishUri?: string
  /** takes artifacts that failed a gate, for the reason given */
  force?: { reason: string }
  actor?: string
  now: Date
}

export interface ExportTools {
  database: Sql & Transactions
  blobs: Pick<BlobStore, 'get' | 'put'>
}

interface Chosen {
  artifact: Artifact
  alias: Alias | null
}

/**
 * Writes a release: checks that each component has an artifact (named, or promoted to the alias) that passed its gates and whose bytes
 * are whole, and keeps one manifest of all of them. Every problem is told at once: BAD_INPUT, NOT_FOUND, GATE_FAILED or CORRUPT;
 * CONFLICT when the version exists.
 */
export async function exportRelease({ database, blobs }: ExportTools, request: ExportRequest): Promise<Release> {
  const { version = versionAt(request.now), now, actor } = request
  refuseNames(request, version)
  const chosen = await chooseArtifacts(database, request)
  await refuseDamaged(database, blobs, chosen)
  const manifest = buildManifest(request, version, chosen)
  const { bytes, digest } = encodeReleaseManifest(manifest)
  await blobs.put(bytes)
  const release = { id: releaseId(version), version, manifest, manifestDigest: digest, createdAt: now, createdBy: actor ?? null }
  await database.transaction((sql) => saveRelease(sql, release))
  return release
}

function refuseNames({ components }: ExportRequest, version: string): void {
  if (!artifactName.safeParse(version).success)
    throw new EspalierError(
      'BAD_INPUT',
      `release version: found "${version}", expected ${artifactName.safeParse(version).error?.issues[0]?.message}`,
    )
  if (components.length === 0)
    throw new EspalierError('BAD_INPUT', 'release: found no component, expected at least one', {
      remedy: 'Name the components that it holds.',
    })
  const names = components.map((c) => c.component)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw new EspalierError('BAD_INPUT', `release: the component ${twice} is named twice`, { remedy: 'Name each component once.' })
}

/** Problems of all components together; the code is that of the first. */
async function chooseArtifacts(sql: Sql, { components, alias = 'production', force }: ExportRequest): Promise<Chosen[]> {
  const chosen: Chosen[] = []
  const problems: Problem[] = []
  const add = (code: 'not-found' | 'wrong-component' | 'gate-failed', where: string, found: string, expected: string, suggestion: string) =>
    problems.push(problem({ code, where, found, expected, suggestion }))
  for (const { component, artifactId } of components) {
    const artifact = artifactId ? await findArtifact(sql, artifactId) : await readAlias(sql, component, alias)
    if (!artifact)
      add(
        'not-found',
        component,
        artifactId ? `no artifact ${artifactId}` : `no artifact that ${alias} names`,
        'one that was published',
        artifactId ? 'See `espalier artifacts list`.' : `Promote one, or name one: ${component}@<version>.`,
      )
    else if (artifact.component !== component)
      add('wrong-component', component, `artifact ${artifact.id}`, `an artifact of ${component}`, 'Name the component that it belongs to.')
    else if (!artifact.passed && !force?.reason.trim())
      add(
        'gate-failed',
        component,
        `artifact ${artifact.id}, which failed a gate`,
        'one that passed',
        'Take one that passed, or force it with a reason.',
      )
    else chosen.push({ artifact, alias: artifactId ? null : alias })
  }
  if (problems.length === 0) return chosen
  const code = ({ 'not-found': 'NOT_FOUND', 'wrong-component': 'BAD_INPUT', 'gate-failed': 'GATE_FAILED' } as const)[
    problems[0]!.code as 'not-found'
  ]
  throw new EspalierError(code, `release: ${problems.map(describeProblem).join('; ')}`, { problems })
}

async function findArtifact(sql: Sql, id: string): Promise<Artifact | null> {
  try {
    return await readArtifact(sql, id)
  } catch (thrown) {
    if (thrown instanceof EspalierError && thrown.code === 'NOT_FOUND') return null
    throw thrown
  }
}

async function refuseDamaged(sql: Sql, blobs: Pick<BlobStore, 'get'>, chosen: readonly Chosen[]): Promise<void> {
  const problems: Problem[] = []
  for (const { artifact } of chosen) problems.push(...(await verifyArtifact(sql, blobs, artifact.id)).problems)
  if (problems.length === 0) return
  throw new EspalierError('CORRUPT', `release: ${problems.map(describeProblem).join('; ')}`, {
    problems,
    remedy: 'Restore these files from a backup, or publish the artifacts again.',
  })
}

function buildManifest({ now, publishUri, force }: ExportRequest, version: string, chosen: readonly Chosen[]): ReleaseManifest {
  return {
    format: 1,
    version,
    created_at: now.toISOString(),
    publish_uri: publishUri ?? `/artifacts/${releaseId(version)}/package.tar.gz`,
    components: chosen.map(({ artifact, alias }) => {
      const { component, manifest, manifestDigest, passed } = artifact
      const own = { path: manifestPath, size: encodeManifest(manifest).bytes.length, sha256: manifestDigest }
      return {
        component,
        artifact_id: artifact.id,
        version: artifact.version,
        model: manifest.model.name,
        run_id: manifest.run_id,
        dataset: manifest.dataset,
        metrics: manifest.metrics,
        passed,
        forced: passed ? null : (force?.reason ?? null),
        alias,
        files: [own, ...manifest.files].map((file) => ({ ...file, path: `${component}/${file.path}` })),
      }
    }),
    producer: readEnvironment().producer,
  }
}
