/**
 * Builds dist/: the TypeScript, the SQL parser as one ES module (plain Node cannot import dt-sql-parser: directory imports),
 * and the GraphQL editor with its workers. Bundles are remade only when the package's version or the entry file has changed.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build } from 'esbuild'

const root = path.resolve(import.meta.dirname, '..')
const dist = path.join(root, 'dist')
const require = createRequire(import.meta.url)
fs.mkdirSync(dist, { recursive: true })

/** Runs `make` unless `stamp` already says that this very input was built into `target`. */
async function once(target, inputs, make) {
  const stampFile = path.join(dist, `.${path.basename(target)}.stamp`)
  const stamp = JSON.stringify(inputs)
  if (fs.existsSync(path.join(dist, target)) && fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp) return
  await make(path.join(dist, target))
  fs.writeFileSync(stampFile, stamp)
}
const version = (name) => JSON.parse(fs.readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')).version

const parserEntry = `export { HiveSQL } from 'dt-sql-parser'`
await once('vendor', { parser: version('dt-sql-parser'), parserEntry }, (out) =>
  build({
    stdin: { contents: parserEntry, resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    outfile: path.join(out, 'dt-sql-parser.mjs'),
    logLevel: 'warning',
  }),
)

const editor = path.join(root, 'src/api/editor')
if (fs.existsSync(editor)) {
  const sources = Object.fromEntries(fs.readdirSync(editor).map((f) => [f, fs.readFileSync(path.join(editor, f), 'utf8')]))
  const monaco = path.dirname(require.resolve('monaco-editor/package.json'))
  await once('editor', { graphiql: version('graphiql'), sources }, async (out) => {
    fs.rmSync(out, { recursive: true, force: true })
    await build({
      entryPoints: {
        editor: path.join(editor, 'editor.jsx'),
        'editor.worker': path.join(monaco, 'esm/vs/editor/editor.worker.js'),
        'json.worker': path.join(monaco, 'esm/vs/language/json/json.worker.js'),
        'graphql.worker': require.resolve('monaco-graphql/esm/graphql.worker.js'),
      },
      bundle: true,
      format: 'esm',
      minify: true,
      jsx: 'automatic',
      loader: { '.ttf': 'file' },
      define: { 'process.env.NODE_ENV': '"production"' },
      outdir: out,
      logLevel: 'error',
    })
    fs.copyFileSync(path.join(editor, 'index.html'), path.join(out, 'index.html'))
  })
}

const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', path.join(root, 'src')], { stdio: 'inherit' })
if (status !== 0) process.exit(1)
fs.chmodSync(path.join(dist, 'cli/main.js'), 0o755)
