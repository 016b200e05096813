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

/** A file of a bundle. */
export const fileEntry = z.strictObject({ path: relativePath, size: z.number().int().min(0), sha256: digest })
export type FileEntry = z.output<typeof fileEntry>

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

const gridResults = z.array(z.strictObject({ case: z.string(), max_abs_diff: z.number().nullable(), passed: z.boolean() }))

/** What every comparison tells of itself. */
const compared = {
  lists: z.number().int().min(0).describe('validation examples compared'),
  candidates: z.number().int().min(0).describe('their scores'),
  max_abs_diff: z.number().nullable().describe('largest difference over all scores; null when a score was not finite'),
  kendall_tau: z.number().nullable().describe('mean over examples with two or more scores; null without one'),
  top1_agreement: z.number().nullable().describe('share of examples whose best choice is the same'),
  grid: gridResults.describe('small graphs of every kind of edge, per layout'),
  passed: z.boolean(),
  onnxruntime: z.string(),
  cpu: z.string(),
  cpu_flags: z.array(z.string()),
}

/** The fp32 files beside the trainer. */
export const parityReport = z.strictObject({
  precision: z.literal('fp32'),
  tolerance: z.number(),
  ...compared,
})
export type ParityReport = z.output<typeof parityReport>

/** The int8 files beside the fp32 ones. */
export const int8Report = z.strictObject({
  precision: z.literal('int8'),
  ...compared,
  metric: z
    .strictObject({
      name: z.string(),
      fp32: z.number(),
      int8: z.number(),
      drop: z.number().describe('relative to fp32; negative when int8 is better'),
      limit: z.number(),
      passed: z.boolean(),
    })
    .nullable()
    .describe("the task's own metric over the validation examples; null when they say nothing"),
  size: z.strictObject({ fp32_bytes: z.number().int(), int8_bytes: z.number().int(), ratio: z.number() }),
  speed: z
    .strictObject({
      examples: z.number().int(),
      graphs: z.number().int(),
      nodes: z.number().int(),
      rounds: z.number().int(),
      fp32_ms: z.number(),
      int8_ms: z.number(),
      ratio: z.number().describe('fp32 / int8: above 1, int8 is faster'),
    })
    .describe('medians for one batch of the validation set, both run in turns'),
})
export type Int8Report = z.output<typeof int8Report>

export const int8Modes = ['required', 'if-passed', 'off'] as const
export type Int8Mode = (typeof int8Modes)[number]

const int8Decision = z.strictObject({
  mode: z.enum(int8Modes),
  published: z.boolean(),
  reason: z.string().nullable().describe('why there are no int8 files'),
  report: int8Report.nullable(),
})

/** What an artifact is, as a file that travels with it. Other files (an int8 model, labels) are further rows of `files`. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  component: artifactName.describe('what it does in a release: ranker, embedding, …'),
  version: artifactName,
  created_at: z.iso.datetime(),
  model: z.strictObject({ name: z.string(), options: z.record(z.string(), z.json()) }),
  files: z.array(fileEntry).min(1),
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
  int8: int8Decision
    .optional()
    .describe('the int8 files: whether there are any, and how they compare; absent in artifacts from before there were'),
  labels: z.array(z.string()).optional().describe('names of the classes, in the order of their scores'),
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
