import { EspalierError } from '../util/error.js'
import { type ElementType, elementCount, type HostTensor, type NamedTensors, tensor } from './tensor.js'

const dtypes: Record<ElementType, string> = { float32: 'F32', float64: 'F64', int32: 'I32', int64: 'I64', bool: 'BOOL' }
const types = Object.fromEntries(Object.entries(dtypes).map(([type, dtype]) => [dtype, type as ElementType]))
const metadataKey = '__metadata__'

const bytesOf = ({ data }: HostTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Writes tensors as safetensors (8 bytes of header length, JSON header, raw little-endian data), names sorted: equal tensors give equal bytes. */
export function encodeSafetensors(named: Readonly<NamedTensors>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const names = Object.keys(named).sort()
  let end = 0
  const header: Record<string, unknown> = { [metadataKey]: metadata }
  for (const name of names) {
    const t = named[name]!
    header[name] = { dtype: dtypes[t.type], shape: t.dims, data_offsets: [end, (end += t.data.byteLength)] }
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const name of names) {
    const data = bytesOf(named[name]!)
    bytes.set(data, at)
    at += data.length
  }
  return bytes
}

/** Reads safetensors; the tensors own their memory. Throws CORRUPT when header and data do not agree. */
export function decodeSafetensors(bytes: Uint8Array): { tensors: NamedTensors; metadata: Record<string, string> } {
  const corrupt = (what: string): never => {
    throw new EspalierError('CORRUPT', `safetensors: ${what}`, { remedy: 'read the file again from where it came' })
  }
  if (bytes.length < 8) corrupt(`${bytes.length} bytes came, at least 8 were expected`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  if (8 + length > bytes.length) corrupt(`the header says it is ${length} bytes long, ${bytes.length - 8} are there`)
  const header = parseHeader(bytes.subarray(8, 8 + length), corrupt)
  const tensors: NamedTensors = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === metadataKey) continue
    const { dtype, shape, data_offsets } = entry as { dtype: string; shape: number[]; data_offsets: [number, number] }
    const type = types[dtype] ?? corrupt(`"${name}" has type ${dtype}, known are ${Object.keys(types).join(', ')}`)
    const t = tensor(type, shape)
    const [start, end] = data_offsets
    const data = bytes.subarray(8 + length + start, 8 + length + end)
    if (data.length !== t.data.byteLength)
      corrupt(`"${name}" has ${data.length} bytes, ${elementCount(shape)} elements need ${t.data.byteLength}`)
    bytesOf(t).set(data)
    tensors[name] = t
  }
  return { tensors, metadata: (header[metadataKey] ?? {}) as Record<string, string> }
}

function parseHeader(text: Uint8Array, corrupt: (what: string) => never): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(text))
  } catch {
    return corrupt('its header is not JSON')
  }
}
