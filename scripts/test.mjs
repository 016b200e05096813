/**
 * The whole test, fastest first: format and lint, build (types of src), types of tests, import rules, drift of generated files, then
 * vitest. Ends with one line that counts: `N passed, N failed, N skipped`. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const bin = (name) => path.join(root, 'node_modules/.bin', name)
const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-test-')), 'report.json')
const steps = [
  ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['build', process.execPath, ['scripts/build.mjs']],
  ['types', bin('tsc'), ['--noEmit', '-p', '.']],
  ['import rules', process.execPath, ['scripts/check-imports.mjs']],
  ['generated files', process.execPath, ['scripts/schema.mjs']],
  ['tests', bin('vitest'), ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)]],
]

let failed = 0
for (const [title, command, args] of steps) {
  const began = Date.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  console.log(`${status === 0 ? 'ok' : 'FAILED'}: ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
  if (status !== 0) {
    failed++
    if (title !== 'lint') break
  }
}

const counts = fs.existsSync(report)
  ? JSON.parse(fs.readFileSync(report, 'utf8'))
  : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
const skipped = counts.numPendingTests + (counts.numTodoTests ?? 0)
const skipFails = process.env.CI && skipped > 0
if (skipFails) console.error(`in CI a skip is a failure: ${skipped} skipped`)
fs.rmSync(path.dirname(report), { recursive: true, force: true })
console.log(
  `${counts.numPassedTests} passed, ${counts.numFailedTests + (counts.numFailedTests === 0 ? failed : 0)} failed, ${skipped} skipped`,
)
process.exit(failed > 0 || skipFails ? 1 : 0)
