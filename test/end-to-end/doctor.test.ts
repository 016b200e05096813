import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, temporaryFolder } from '../support/espalier.js'
import { describeIf } from '../support/need.js'
import { nativeTfjs } from '../support/tfjs-native.js'

interface Finding {
  what: string
  need: 'needed' | 'optional'
  usable: boolean
  detail: string
}

const doctor = (env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = espalier(['doctor', '--json', '--home', temporaryFolder()], { env })
  const findings = JSON.parse(stdout) as Finding[]
  return { status, stderr, of: (executor: string) => findings.find((f) => f.what === `executor ${executor}`) }
}

/** A folder in which `@tensorflow/tfjs-node` is this program. */
function packageThat(program: string): string {
  const folder = temporaryFolder()
  const home = path.join(folder, 'node_modules/@tensorflow/tfjs-node')
  fs.mkdirSync(home, { recursive: true })
  fs.writeFileSync(path.join(home, 'package.json'), JSON.stringify({ name: '@tensorflow/tfjs-node', version: '0.0.0', main: 'index.js' }))
  fs.writeFileSync(path.join(home, 'index.js'), program)
  return folder
}

describe('espalier doctor', () => {
  const folders: string[] = []
  const broken = (program: string) => {
    const folder = packageThat(program)
    folders.push(folder)
    return folder
  }
  afterAll(() => {
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true })
  })
  let plain: ReturnType<typeof doctor>
  beforeAll(() => {
    plain = doctor()
  })

  it('says which executors compute here, and of the others why not and what to do', () => {
    expect(plain.of('ort')).toMatchObject({ need: 'needed', usable: true, detail: expect.stringMatching(/^onnxruntime-node 1\./) })
    expect(plain.of('tfjs-wasm')).toMatchObject({ need: 'optional', usable: true, detail: 'tfjs 4.22.0 (WebAssembly)' })
    const cuda = plain.of('ort-cuda')!
    expect(cuda).toMatchObject({
      need: 'optional',
      detail: expect.stringMatching(cuda.usable ? / on cuda$/ : /onnxruntime .* refused the graph: ./),
    })
    for (const name of ['tfjs-node', 'tfjs-node-gpu'])
      expect(plain.of(name)).toMatchObject({
        usable: false,
        detail: expect.stringContaining(`@tensorflow/${name} is not installed. npm install @tensorflow/${name}`),
      })
    expect(plain.status, plain.stderr).toBe(0)
  })

  it('survives a library that takes its process with it', () => {
    const { status, of } = doctor({ ESPALIER_TFJS_FOLDER: broken('process.abort()') })
    expect(of('tfjs-node')).toMatchObject({ usable: false, detail: expect.stringContaining('died (SIGABRT)') })
    expect(of('ort')).toMatchObject({ usable: true })
    expect(status).toBe(0)
  })

  it('fails when the executor that is configured is the one that does not load', () => {
    const folder = broken('throw new Error("libtensorflow.so.2: cannot open shared object file")')
    const { status, of } = doctor({ ESPALIER_TFJS_FOLDER: folder, ESPALIER_EXECUTOR: 'tfjs-node' })
    expect(of('tfjs-node')).toMatchObject({
      need: 'needed',
      usable: false,
      detail: expect.stringContaining('libtensorflow.so.2: cannot open'),
    })
    expect(status).toBe(1)
  })

  it('refuses an executor that it does not know', () => {
    const { status, stderr } = espalier(['doctor', '--home', temporaryFolder()], { env: { ESPALIER_EXECUTOR: 'tensorflow' } })
    expect(status).toBe(2)
    expect(stderr).toContain('executor')
  })
})

for (const [name, flag] of [
  ['tfjs-node', ''],
  ['tfjs-node-gpu', ' --gpu'],
] as const) {
  const folder = nativeTfjs(name)
  describeIf(folder, `not made: node scripts/tfjs-native/make.mjs${flag}`, `espalier doctor beside ${name}`, () => {
    it('finds it where the setting says, and says what it runs on', () => {
      const { status, of } = doctor({ ESPALIER_TFJS_FOLDER: folder!, ESPALIER_EXECUTOR: name })
      expect(of(name)).toMatchObject({
        need: 'needed',
        usable: true,
        detail: expect.stringMatching(/4\.22\.0 \(TensorFlow 2\.15\.1 on the [CG]PU\)$/),
      })
      expect(status).toBe(0)
    })
  })
}
