import { createHash } from 'node:crypto'
import { endianness } from 'node:os'
import { z } from 'zod'
import { allocate, elementTypes, type HostTensor, type NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'

/**
 * The file of a checkpoint, self-describing: magic, header length (uint32), header (canonical JSON), padding to 8, tensors one after
 * the other (little endian, each padded to 8), SHA-256 of all that precedes. Equal state gives equal bytes, so that a checkpoint's
 * digest says whether two runs are in the same place.
 */
const magic = new TextEncoder().encode('ESPCKPT1')
const digestLength = 32
const align = (n: number) => (n + 7) & ~7

const scheduleState = z.strictObject({
  best: z.number().nullable(),
  badCount: z.number().int(),
  cooldownLeft: z.number().int(),
  rate: z.number().nullable(),
})

/** Everything of a run that is not a tensor. */
export const checkpointHeader = z.strictObject({
  model: z.string(),
  /** what a run must share with this checkpoint to resume from it */
  modelOptions: z.record(z.string(), z.json()),
  trainingOptions: z.record(z.string(), z.json()),
  dataHash: z.string(),
  /** the executor's name and its counts of threads and worker threads: bits are promised for the same ones */
  executor: z.string(),
  threads: z.number().int().positive(),
  workers: z.number().int().min(0).default(0),
  optimizer: z.string(),
  /** the trainer's own count of updates (Adam's t) */
  updates: z.number().int().min(0),
  /** optimizer steps done */
  step: z.number().int().min(0),
  position: z.strictObject({ epoch: z.number().int().min(0), batch: z.number().int().min(0) }),
  /** sums over the batches of the epoch so far */
  epoch: z.strictObject({ loss: z.number(), weight: z.number() }),
  schedule: scheduleState,
  /** the best validation so far and how many validations came after it */
  best: z
    .strictObject({ step: z.number().int(), epoch: z.number().int(), value: z.number(), metrics: z.record(z.string(), z.number()) })
    .nullable(),
  sinceBest: z.number().int().min(0),
})
export type CheckpointHeader = z.output<typeof checkpointHeader>

export interface Checkpoint {
  header: CheckpointHeader
  parameters: NamedTensors
  /** the optimizer's state */
  moments: NamedTensors
  /** parameters at the best validation; empty before the first */
  best: NamedTensors
}

const groups = ['parameters', 'moments', 'best'] as const

const tensorEntry = z.strictObject({
  name: z.string(),
  type: z.enum(elementTypes),
  dims: z.array(z.number().int().min(0)),
  /** from the start of the tensor section */
  offset: z.number().int().min(0),
  length: z.number().int().min(0),
})
const fileHeader = z.strictObject({ format: z.literal(1), run: checkpointHeader, tensors: z.array(tensorEntry) })

const bytesPerElement = { float32: 4, float64: 8, int32: 4, int64: 8, bool: 1 } as const
const bytesOf = (data: HostTensor['data']) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** The checkpoint as bytes; big-endian machines are refused rather than written wrongly. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  if (endianness() !== 'LE') throw new EspalierError('INTERNAL', 'checkpoints are little endian; this machine is big endian')
  const named = groups
    .flatMap((group) => Object.entries(checkpoint[group]).map(([name, tensor]) => [`${group}/${name}`, tensor] as const))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  let offset = 0
  const tensors = named.map(([name, { type, dims, data }]) => {
    const entry = { name, type, dims: [...dims], offset, length: data.byteLength }
    offset += align(data.byteLength)
    return entry
  })
  const json = new TextEncoder().encode(canonicalJson({ format: 1, run: checkpoint.header, tensors }))
  const start = align(magic.length + 4 + json.length)
  const out = new Uint8Array(start + offset + digestLength)
  out.set(magic)
  new DataView(out.buffer).setUint32(magic.length, json.length, true)
  out.set(json, magic.length + 4)
  for (const [i, [, tensor]] of named.entries()) out.set(bytesOf(tensor.data), start + tensors[i]!.offset)
  out.set(createHash('sha256').update(out.subarray(0, -digestLength)).digest(), out.length - digestLength)
  return out
}

const corrupt = (what: string) =>
  new EspalierError('CORRUPT', `checkpoint: ${what}`, { remedy: 'Resume from another checkpoint of this run, or start it again.' })

/** The checkpoint in `bytes`; anything but exactly what `encodeCheckpoint` wrote is a CORRUPT error that says what is wrong. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  if (bytes.length < magic.length + 4 + digestLength) throw corrupt(`${bytes.length} bytes are too few for one`)
  if (!magic.every((b, i) => bytes[i] === b)) throw corrupt('it does not begin with ESPCKPT1: this is not a checkpoint of this version')
  const digest = createHash('sha256').update(bytes.subarray(0, -digestLength)).digest()
  if (!digest.equals(bytes.subarray(-digestLength))) throw corrupt('its SHA-256 does not match: bytes were lost or changed')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true)
  const start = align(magic.length + 4 + length)
  const parsed = fileHeader.safeParse(JSON.parse(new TextDecoder().decode(bytes.subarray(magic.length + 4, magic.length + 4 + length))))
  if (!parsed.success) throw corrupt(`its header is not of this version: ${z.prettifyError(parsed.error)}`)
  const checkpoint: Checkpoint = { header: parsed.data.run, parameters: {}, moments: {}, best: {} }
  for (const { name, type, dims, offset, length: size } of parsed.data.tensors) {
    const slash = name.indexOf('/')
    const group = groups.find((g) => g === name.slice(0, slash))
    if (!group) throw corrupt(`it has a tensor "${name}" of no known group`)
    // a copy: typed arrays need alignment, and the checkpoint's bytes may be let go
    const data = allocate(type, size / bytesPerElement[type])
    bytesOf(data).set(bytes.subarray(start + offset, start + offset + size))
    checkpoint[group][name.slice(slash + 1)] = { type, dims, data } as HostTensor
  }
  return checkpoint
}
