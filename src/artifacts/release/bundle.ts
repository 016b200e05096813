import type { BlobStore } from '../../blobs/blob-store.js'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { encodeManifest, type FileEntry } from '../manifest.js'
import { type ParitySamples, parseSamples, samplesPath } from '../parity/samples.js'
import { readArtifact } from '../store.js'
import { encodeReleaseManifest, isReleaseId, manifestPath, releasePath } from './manifest.js'
import { readRelease } from './release-store.js'

/** An artifact or a release as the files that it consists of. */
export interface Bundle {
  id: string
  createdAt: Date
  /** its own manifest first; paths are relative to the bundle's folder */
  files: FileEntry[]
  /** of the manifest as the row has it now: the first file's, unless the row was tampered with */
  rowDigest: string
}

/** The files of an artifact (`ranker@1`) or of a release (`release:1`), or NOT_FOUND. */
export async function readBundle(sql: Sql, id: string): Promise<Bundle> {
  if (isReleaseId(id)) {
    const { manifest, manifestDigest, createdAt } = await readRelease(sql, id)
    const { bytes, digest: rowDigest } = encodeReleaseManifest(manifest)
    const own = { path: releasePath, size: bytes.length, sha256: manifestDigest }
    return { id, createdAt, files: [own, ...manifest.components.flatMap((c) => c.files)], rowDigest }
  }
  const { manifest, manifestDigest, createdAt } = await readArtifact(sql, id)
  const { bytes, digest: rowDigest } = encodeManifest(manifest)
  const own = { path: manifestPath, size: bytes.length, sha256: manifestDigest }
  return { id, createdAt, files: [own, ...manifest.files], rowDigest }
}

/** Folder and file names for a bundle: `ranker-1`. */
export const bundleName = (id: string): string => id.replace(/[@:]/g, '-')

export function fileOf({ id, files }: Bundle, path: string): FileEntry {
  const file = files.find((each) => each.path === path)
  if (file) return file
  throw new EspalierError('NOT_FOUND', `${id}: it has no file "${path}"`, {
    remedy: `Its files: ${files.map((each) => each.path).join(', ')}.`,
  })
}

export interface BundleSamples {
  /** the folder of its artifact in the bundle: '' for an artifact, the component for a release */
  folder: string
  samples: ParitySamples
}

/** Inputs, expected answers and tolerance of every model in an artifact or a release. */
export async function readSamples(sql: Sql, blobs: Pick<BlobStore, 'get'>, id: string): Promise<BundleSamples[]> {
  const { files } = await readBundle(sql, id)
  const found = files.filter((file) => file.path === samplesPath || file.path.endsWith(`/${samplesPath}`))
  return Promise.all(
    found.map(async ({ path, sha256 }) => ({
      folder: path.slice(0, Math.max(0, path.length - samplesPath.length - 1)),
      samples: parseSamples(await blobs.get(sha256)),
    })),
  )
}
