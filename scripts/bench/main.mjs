/**
 * Runs benchmark cases, one file each beside this one: `npm run bench [-- case …]`. A case exports `title` and an async `run()` that
 * gives `{ rows, notes }`: rows are objects with the same keys, printed as a table.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { printTable } from './support/table.mjs'

const folder = import.meta.dirname
const all = fs
  .readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && file !== 'main.mjs')
  .map((file) => file.slice(0, -'.mjs'.length))
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`bench: no case named ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}

console.log(`${os.cpus()[0]?.model ?? os.arch()}, ${os.cpus().length} cores, Node ${process.version}`)
for (const name of asked.length > 0 ? asked : all) {
  const { title, run } = await import(path.join(folder, `${name}.mjs`))
  console.log(`\n${name}: ${title}`)
  const { rows, notes = [] } = await run()
  printTable(rows)
  for (const note of notes) console.log(`  ${note}`)
}
