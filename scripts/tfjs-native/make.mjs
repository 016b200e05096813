/**
 * Makes @tensorflow/tfjs-node work where the bucket that its install script downloads from is out of reach: the library comes out of
 * TensorFlow's wheel on PyPI, and the binding is compiled here. Linux on x86-64; needs npm, python3 with pip, and g++.
 *
 *   node scripts/tfjs-native/make.mjs [--gpu] [--folder .espalier/tfjs-native]
 *
 * Prints the folder to name in ESPALIER_TFJS_FOLDER. `--gpu` makes @tensorflow/tfjs-node-gpu instead (its library runs on the CPU where
 * there is no GPU). What is made already is left alone.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

/** tfjs-node 4.22 is written against TensorFlow's C API 2.9 and newer; 2.15 is the newest line whose wheel carries libtensorflow_cc. */
const versions = { tfjs: '4.22.0', tensorflow: '2.15.1', headers: '1.9.0' }
const { values: options } = parseArgs({
  options: {
    gpu: { type: 'boolean', default: false },
    folder: { type: 'string', default: path.resolve(import.meta.dirname, '../../.espalier/tfjs-native') },
  },
})

const name = options.gpu ? 'tfjs-node-gpu' : 'tfjs-node'
const wheel = options.gpu ? 'tensorflow' : 'tensorflow-cpu'
const folder = path.resolve(options.folder, name)
const home = path.join(folder, 'node_modules/@tensorflow', name)
const stamp = path.join(folder, 'made.json')
const python = process.env.PYTHON ?? 'python3'

const say = (line) => process.stderr.write(`tfjs-native: ${line}\n`)

function run(what, command, args, cwd = folder) {
  const began = Date.now()
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) {
    say(`${what} failed (${command} ${args.join(' ')}): ${error?.message ?? ''}\n${stdout ?? ''}${stderr ?? ''}`)
    process.exit(1)
  }
  say(`${what} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  return stdout
}

function assertMachine() {
  const missing = []
  if (process.platform !== 'linux' || process.arch !== 'x64')
    missing.push(`Linux on x86-64 (this is ${process.platform} on ${process.arch})`)
  for (const [what, ...command] of [
    ['python3 with pip', python, '-m', 'pip', '--version'],
    ['g++', 'g++', '--version'],
    ['npm', 'npm', '--version'],
  ])
    if (spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status !== 0) missing.push(what)
  if (missing.length === 0) return
  say(`needs ${missing.join(', ')}`)
  process.exit(1)
}

function installPackages() {
  fs.mkdirSync(folder, { recursive: true })
  const dependencies = { [`@tensorflow/${name}`]: versions.tfjs, 'node-api-headers': versions.headers }
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  run(`installed @tensorflow/${name}`, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** The wheel of CPython 3.11 whatever Python is here: only its C libraries are wanted. */
function unpackLibrary() {
  const scratch = fs.mkdtempSync(path.join(folder, 'wheel-'))
  try {
    const target = ['--python-version', '3.11', '--implementation', 'cp', '--platform', 'manylinux2014_x86_64', '--only-binary=:all:']
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-cache-dir', '--no-deps']
    run(`downloaded ${wheel} ${versions.tensorflow}`, python, [
      '-m',
      'pip',
      'download',
      ...quiet,
      ...target,
      '--dest',
      scratch,
      `${wheel}==${versions.tensorflow}`,
    ])
    const file = path.join(
      scratch,
      fs.readdirSync(scratch).find((f) => f.endsWith('.whl')),
    )
    const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
    const wanted = [...libraries, 'include/tensorflow/', 'include/tsl/']
    const unpack = path.join(import.meta.dirname, 'unpack.py')
    run('unpacked the library', python, [unpack, file, scratch, ...wanted.map((f) => `tensorflow/${f}`)])
    const deps = path.join(home, 'deps')
    fs.rmSync(deps, { recursive: true, force: true })
    fs.mkdirSync(path.join(deps, 'lib'), { recursive: true })
    const unpacked = path.join(scratch, 'tensorflow')
    for (const library of libraries) fs.renameSync(path.join(unpacked, library), path.join(deps, 'lib', library))
    fs.renameSync(path.join(unpacked, 'include'), path.join(deps, 'include'))
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
}

function compileBinding() {
  const out = path.join(home, 'lib/napi-v8')
  fs.mkdirSync(out, { recursive: true })
  const sources = fs.readdirSync(path.join(home, 'binding')).filter((f) => f.endsWith('.cc'))
  const include = ['..', '.', 'deps/include', path.join(folder, 'node_modules/node-api-headers/include')]
  run(
    'compiled the binding',
    'g++',
    [
      '-shared',
      '-fPIC',
      '-O2',
      '-std=c++17',
      '-DNAPI_VERSION=8',
      '-w',
      ...include.map((f) => `-I${f}`),
      ...sources.map((f) => `binding/${f}`),
      '-o',
      path.join(out, 'tfjs_binding.node'),
      '-Ldeps/lib',
      '-l:libtensorflow_cc.so.2',
      '-l:libtensorflow_framework.so.2',
      '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ],
    home,
  )
}

/** In a process of its own, as whoever uses it will. */
function tryIt() {
  const program = `
    const tf = require('@tensorflow/${name}')
    const sum = tf.matMul(tf.ones([64, 32]), tf.ones([32, 64])).sum().dataSync()[0]
    if (tf.getBackend() !== 'tensorflow' || sum !== 64 * 64 * 32) throw new Error(tf.getBackend() + ' ' + sum)
    console.log('TensorFlow ' + tf.backend().binding.TF_Version)`
  return run('it computes', process.execPath, ['-e', program]).trim()
}

if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === JSON.stringify(versions)) {
  say(`${folder} is made already`)
} else {
  assertMachine()
  fs.rmSync(folder, { recursive: true, force: true })
  installPackages()
  unpackLibrary()
  compileBinding()
  say(tryIt())
  fs.writeFileSync(stamp, JSON.stringify(versions))
}
console.log(folder)
