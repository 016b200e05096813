import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { EspalierError, messageOf } from '../util/error.js'
import type { Tf, TfTensor, TfType } from './ops/tfjs-row.js'

/** tfjs as an executor uses it: what rows use, tensors in and out, and memory. */
export interface Tfjs extends Tf {
  tensor(data: Float32Array | Int32Array | Uint8Array, dims: readonly number[], type: TfType): Disposable
  clone(x: TfTensor): Disposable
  keep(x: TfTensor): Disposable
  tidy<T>(work: () => T): T
  memory(): { numTensors: number }
  setBackend(name: string): Promise<boolean>
  getBackend(): string
}

export interface Disposable extends TfTensor {
  dataSync(): Float32Array | Int32Array | Uint8Array
  dispose(): void
}

/** The ways to run tfjs, best first. */
export const tfjsFlavours = ['tfjs-node-gpu', 'tfjs-node', 'tfjs-wasm'] as const
export type TfjsFlavour = (typeof tfjsFlavours)[number]

export interface LoadedTfjs {
  flavour: TfjsFlavour
  tf: Tfjs
  /** of tfjs and of what computes below it */
  version: string
  /** tfjs keeps one state per process: this backend is switched on before every run */
  backend: 'tensorflow' | 'wasm'
}

/** What a native package adds to tfjs. */
interface NativeBackend {
  binding: { TF_Version: string }
  isUsingGpuDevice: boolean
}

const here = createRequire(import.meta.url)

/** TensorFlow's notes of which instructions and devices it would like are no news; its errors are. */
const quieten = () => {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
}

/** From the folder that a setting names, else beside Espalier. */
function resolvePackage(name: string, folder: string | undefined): { file: string; require: NodeJS.Require } {
  const places = [...(folder ? [createRequire(path.join(path.resolve(folder), 'package.json'))] : []), here]
  for (const require of places)
    try {
      return { file: require.resolve(name), require }
    } catch {
      // not there: the next place, and in the end the error below
    }
  throw new EspalierError('NOT_FOUND', `${name} is not installed${folder ? ` (looked in ${folder} and beside Espalier)` : ''}`, {
    remedy: `npm install ${name}, or name a folder that has it in ESPALIER_TFJS_FOLDER.`,
  })
}

/** The one native package of this process: two libtensorflows in one process would share names and crash. */
let native: { flavour: TfjsFlavour; file: string } | undefined

function loadNative(flavour: 'tfjs-node-gpu' | 'tfjs-node', folder: string | undefined): LoadedTfjs {
  const name = `@tensorflow/${flavour}`
  const { file, require } = resolvePackage(name, folder)
  if (native && native.file !== file)
    throw new EspalierError('CONFLICT', `${name} cannot be loaded: this process already runs ${native.file}`, {
      remedy: 'Use one native TensorFlow per process.',
    })
  quieten()
  const tf = require(file) as Tfjs & { version: Record<string, string>; backend(): NativeBackend; ready(): Promise<void> }
  native = { flavour, file }
  void tf.setBackend('tensorflow')
  const { binding, isUsingGpuDevice } = tf.backend()
  const version = `${flavour} ${tf.version['tfjs-node'] ?? tf.version['tfjs-core']} (TensorFlow ${binding.TF_Version} on the ${isUsingGpuDevice ? 'GPU' : 'CPU'})`
  return { flavour, tf, version, backend: 'tensorflow' }
}

async function loadWasm(): Promise<LoadedTfjs> {
  const tf = here('@tensorflow/tfjs-core') as Tfjs & { version_core: string }
  const wasm = here('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void }
  const folder = path.dirname(here.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'))
  fs.accessSync(path.join(folder, 'tfjs-backend-wasm-simd.wasm'))
  wasm.setWasmPaths(folder + path.sep)
  if (!(await tf.setBackend('wasm'))) throw new EspalierError('INTERNAL', 'the WASM backend of tfjs did not start')
  return { flavour: 'tfjs-wasm', tf, version: `tfjs ${tf.version_core} (WebAssembly)`, backend: 'wasm' }
}

const loaded = new Map<string, Promise<LoadedTfjs>>()

/**
 * Loads one flavour of tfjs, once per process. `folder`: where its packages lie, when not beside Espalier. Throws NOT_FOUND when the
 * package is not installed or does not load, saying why.
 */
export function loadTfjs(flavour: TfjsFlavour, folder?: string): Promise<LoadedTfjs> {
  const key = `${flavour} ${folder ?? ''}`
  if (!loaded.has(key)) loaded.set(key, load(flavour, folder))
  return loaded.get(key)!
}

async function load(flavour: TfjsFlavour, folder: string | undefined): Promise<LoadedTfjs> {
  try {
    return flavour === 'tfjs-wasm' ? await loadWasm() : loadNative(flavour, folder)
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause
    throw new EspalierError('NOT_FOUND', `${flavour} does not load: ${messageOf(cause).split('\n')[0]}`, {
      cause,
      remedy: 'Its install script fetches libtensorflow; scripts/tfjs-native makes it from PyPI where that is out of reach.',
    })
  }
}
