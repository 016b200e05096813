import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { executorNames, openExecutor } from '../../../src/tensor/executors.js'
import { closeGraph } from '../../../src/tensor/graph.js'
import { parseTrainingOptions } from '../../../src/training/options.js'

const folders: string[] = []
/** A folder in which native packages of tfjs are these programs. */
function packages(programs: Record<string, string>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-tfjs-'))
  folders.push(folder)
  for (const [name, program] of Object.entries(programs)) {
    const home = path.join(folder, 'node_modules/@tensorflow', name)
    fs.mkdirSync(home, { recursive: true })
    fs.writeFileSync(path.join(home, 'package.json'), JSON.stringify({ name: `@tensorflow/${name}`, version: '0.0.0', main: 'index.js' }))
    fs.writeFileSync(path.join(home, 'index.js'), program)
  }
  return folder
}
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true })
})

describe('executors by name', () => {
  it('are what the setting and the training option take, and nothing else', () => {
    const set = (ESPALIER_EXECUTOR: string) => readConfig({}, { ESPALIER_EXECUTOR }, os.tmpdir()).executor
    for (const name of executorNames) {
      expect(set(name)).toBe(name)
      expect(parseTrainingOptions({ executor: name }).executor).toBe(name)
    }
    expect(() => set('torch')).toThrow('the configuration has 1 problem')
    expect(() => parseTrainingOptions({ executor: 'torch' })).toThrow('executor')
    expect(readConfig({}, {}, os.tmpdir()).executor).toBe('ort')
    expect(parseTrainingOptions({}).executor).toBeNull()
  })
  it('open as what they are called', async () => {
    expect((await openExecutor('ort')).name).toBe('ort')
    expect((await openExecutor('tfjs-wasm')).name).toBe('tfjs-wasm')
  })
  it('say why a device of onnxruntime cannot be had', async () => {
    const b = new GraphBuilder()
    const graph = closeGraph({ y: b.exp(b.input('x', 'float32', [2])) })
    const foreign = process.platform === 'darwin' ? 'ort-dml' : 'ort-coreml'
    const executor = await openExecutor(foreign)
    await expect(executor.load(graph)).rejects.toThrow(/onnxruntime .* refused the graph: .*(coreml|dml)/i)
    await expect(executor.load(graph)).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: expect.stringContaining('on the CPU') })
  })
  it('say why tfjs cannot be had: not installed, or broken', async () => {
    const folder = packages({ 'tfjs-node': 'throw new Error("libtensorflow.so.2: cannot open shared object file\\nand a stack")' })
    await expect(openExecutor('tfjs-node-gpu', { tfjsFolder: folder })).rejects.toThrow('@tensorflow/tfjs-node-gpu is not installed')
    await expect(openExecutor('tfjs-node', { tfjsFolder: folder })).rejects.toThrow(
      /^tfjs-node does not load: libtensorflow\.so\.2: cannot open shared object file$/,
    )
  })
  it('tfjs is the best that loads: what is broken is passed over', async () => {
    const folder = packages({ 'tfjs-node': 'throw new Error("broken")', 'tfjs-node-gpu': 'throw new Error("broken")' })
    expect((await openExecutor('tfjs', { tfjsFolder: folder })).name).toBe('tfjs-wasm')
  })
  it('a process runs one native TensorFlow, never two', async () => {
    const plausible = `exports.version = { 'tfjs-node': '4.22.0' }
      exports.setBackend = async () => true
      exports.backend = () => ({ binding: { TF_Version: '2.15.1' }, isUsingGpuDevice: false })`
    const folder = packages({ 'tfjs-node': plausible, 'tfjs-node-gpu': plausible })
    const first = await openExecutor('tfjs', { tfjsFolder: folder })
    expect(first).toMatchObject({ name: 'tfjs-node-gpu', version: 'tfjs-node-gpu 4.22.0 (TensorFlow 2.15.1 on the CPU)' })
    await expect(openExecutor('tfjs-node', { tfjsFolder: folder })).rejects.toThrow('cannot be loaded: this process already runs')
    expect((await openExecutor('tfjs-node-gpu', { tfjsFolder: folder })).name).toBe('tfjs-node-gpu')
  })
})
