import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { canonicalJson, sha256 } from '../../util/hash.js'
import { artifactName, fileEntry } from '../manifest.js'

/** The release's own file in a bundle; every component lies in a folder of its name, with the manifest and the files of its artifact. */
export const releasePath = 'release.json'
/** An artifact's own file in a bundle. */
export const manifestPath = 'manifest.json'

const releaseComponent = z.strictObject({
  component: artifactName,
  artifact_id: z.string(),
  version: artifactName,
  model: z.string().describe('name of the model'),
  run_id: z.string().nullable(),
  dataset: z.strictObject({ version_id: z.string(), hash: z.string() }).nullable(),
  metrics: z.record(z.string(), z.number()),
  passed: z.boolean().describe('met every gate and parity'),
  forced: z.string().nullable().describe('why it is here although it had not passed'),
  alias: z.string().nullable().describe('the alias that named it; null when it was named itself'),
  files: z.array(fileEntry).min(1).describe("the artifact's manifest first, then its files; paths begin with the component's name"),
})

/** Several components that belong together, as a file that travels with them. */
export const releaseManifestSchema = z.strictObject({
  format: z.literal(1),
  version: artifactName,
  created_at: z.iso.datetime(),
  publish_uri: z.string().describe('where its package is to be had; a path is relative to the server that made it'),
  components: z.array(releaseComponent).min(1),
  producer: z.record(z.string(), z.string()).describe('tool -> version'),
})
export type ReleaseManifest = z.output<typeof releaseManifestSchema>

/** The JSON Schema of a release's file (draft 2020-12), as committed in schema/release.schema.json. */
export const releaseJsonSchema = (): Record<string, unknown> => ({
  title: 'Espalier release manifest',
  ...z.toJSONSchema(releaseManifestSchema),
})

/** The release's file: canonical JSON, so that equal manifests have equal digests. */
export function encodeReleaseManifest(manifest: ReleaseManifest): { bytes: Uint8Array; digest: string } {
  const bytes = new TextEncoder().encode(canonicalJson(releaseManifestSchema.parse(manifest)))
  return { bytes, digest: sha256(bytes) }
}

/** A release read from a file or a row; anything else is a CORRUPT error. */
export function parseReleaseManifest(json: unknown): ReleaseManifest {
  const parsed = releaseManifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new EspalierError('CORRUPT', `release manifest: ${z.prettifyError(parsed.error)}`, { remedy: 'Export the release again.' })
}

export const releaseId = (version: string): string => `release:${version}`
export const isReleaseId = (id: string): boolean => id.startsWith('release:')
