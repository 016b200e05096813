import type { TensorExecutor } from './executor.js'
import type { TfjsFlavour } from './tfjs-library.js'

/** Devices that onnxruntime computes on where it is asked to; CUDA's library is fetched by hand, CoreML is macOS, DirectML Windows. */
export const ortDevices = ['cuda', 'webgpu', 'coreml', 'dml'] as const
export type OrtDevice = (typeof ortDevices)[number]

/** What can be asked for: onnxruntime on the CPU or on a device; tfjs, the best there is; or one flavour of it. */
export const executorNames = [
  ...(['ort', 'ort-cuda', 'ort-webgpu', 'ort-coreml', 'ort-dml'] as const),
  ...(['tfjs', 'tfjs-node-gpu', 'tfjs-node', 'tfjs-wasm'] as const),
] as const
export type ExecutorName = (typeof executorNames)[number]

export interface ExecutorOptions {
  /** a folder whose node_modules hold tfjs's native packages, when they are not installed beside Espalier */
  tfjsFolder?: string | undefined
}

/** Opens an executor by name; what it runs on is loaded only now. Throws NOT_FOUND when it is not usable here, saying why. */
export async function openExecutor(name: ExecutorName, { tfjsFolder }: ExecutorOptions = {}): Promise<TensorExecutor> {
  if (name === 'ort') return (await import('./ort.js')).ortExecutor
  const device = ortDevices.find((d) => name === `ort-${d}`)
  if (device) return (await import('./ort.js')).ortOn(device)
  const { openTfjs } = await import('./tfjs.js')
  return openTfjs({ ...(name === 'tfjs' ? {} : { flavour: name as TfjsFlavour }), ...(tfjsFolder ? { folder: tfjsFolder } : {}) })
}
