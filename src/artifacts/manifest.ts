import { z } from 'zod'
import { EspalierError } from '../util/error.js'
import { canonicalJson, sha256 } from '../util/hash.js'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 as 64 lower-case hex digits')
/** Component and version names become file names, ids and URLs. */
export const artifactName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, ".", "_" and "-", at most 100, beginning with a letter or digit')

const relativePath = z
  .string()
  .regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\\\0][^\\\0]*$/, 'a relative path with "/" and no "." or ".." parts')

const tensorSignature = z.strictObject({
  name: z.string(),
  type: z.string().describe('element type: float32, int64, …'),
  dims: z.array(z.union([z.number().int().min(0), z.string()])).describe('sizes; a name stands for a dynamic axis'),
})

const graphEntry = z.strictObject({
  path: relativePath.describe('the ONNX file, one of `files`'),
  layout: z.string().describe("which of the model's layouts of a batch it takes"),
  precision: z.enum(['fp32', 'int8']),
  inputs: z.array(tensorSignature),
  outputs: z.array(tensorSignature),
})
export type GraphEntry = z.output<typeof graphEntry>

const gateResult = z.strictObject({
  metric: z.string(),
  threshold: z.number(),
  value: z.number().nullable(),
  passed: z.boolean(),
})

export const parityReport = z.strictObject({
  /** what was compared with what */
  precision: z.literal('fp32'),
  lists: z.number().int().min(0),
  candidates: z.number().int().min(0),
  max_abs_diff: z.number().nullable().describe('largest |onnxruntime - trainer| over all scores; null when a score was not finite'),
  tolerance: z.number(),
  kendall_tau: z.number().nullable().describe('mean over lists with two or more candidates; null without one'),
  top1_agreement: z.number().nullable().describe('share of lists whose best candidate is the same'),
  grid: z
    .array(z.strictObject({ case: z.string(), max_abs_diff: z.number().nullable(), passed: z.boolean() }))
    .describe('small graphs of every kind of edge'),
  passed: z.boolean(),
  onnxruntime: z.string(),
  cpu: z.string(),
  cpu_flags: z.array(z.string()),
})
export type ParityReport = z.output<typeof parityReport>

/** What an artifact is, as a file that travels with it. Other files (an int8 model, labels) are further rows of `files`. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  component: artifactName.describe('what it does in a release: ranker, embedding, …'),
  version: artifactName,
  created_at: z.iso.datetime(),
  model: z.strictObject({ name: z.string(), options: z.record(z.string(), z.json()) }),
  files: z.array(z.strictObject({ path: relativePath, size: z.number().int().min(0), sha256: digest })).min(1),
  graphs: z.array(graphEntry).min(1).describe('the same weights, once per layout and precision'),
  opset: z.number().int().min(18),
  producer: z.record(z.string(), z.string()).describe('tool -> version'),
  run_id: z.string().nullable(),
  dataset: z.strictObject({ version_id: z.string(), hash: z.string() }).nullable(),
  options_hash: digest,
  feature_spec_hash: digest.nullable(),
  metrics: z.record(z.string(), z.number()),
  gates: z.array(gateResult),
  parity: parityReport,
  passed: z.boolean().describe('met every gate and parity'),
  forced: z.string().nullable().describe('why it was published although a gate failed'),
})
export type Manifest = z.output<typeof manifestSchema>

/** The JSON Schema of a manifest file (draft 2020-12), as committed in schema/manifest.schema.json. */
export function manifestJsonSchema(): Record<string, unknown> {
  return { title: 'Espalier artifact manifest', ...z.toJSONSchema(manifestSchema) }
}

/** The manifest's file: canonical JSON, so that equal manifests have equal digests. */
export function encodeManifest(manifest: Manifest): { bytes: Uint8Array; digest: string } {
  const bytes = new TextEncoder().encode(canonicalJson(manifestSchema.parse(manifest)))
  return { bytes, digest: sha256(bytes) }
}

/** A manifest read from a file or a row; anything else is a CORRUPT error. */
export function parseManifest(json: unknown): Manifest {
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new EspalierError('CORRUPT', `manifest: ${z.prettifyError(parsed.error)}`, {
    remedy: 'Publish the artifact again from its run.',
  })
}

/** The default version: the UTC moment to the millisecond, `20260131T235959123Z`. */
export const versionAt = (now: Date): string => now.toISOString().replace(/[-:.]/g, '')
