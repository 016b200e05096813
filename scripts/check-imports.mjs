/**
 * The house's import table (scripts/imports.json) as a check: every import between rooms of src/ must be an arrow of the table,
 * every relative import must exist, nothing may lie deeper than src/<room>/<set>/file.ts, and no two rooms may import each other.
 */
import fs from 'node:fs'
import path from 'node:path'
import { parseSync } from 'oxc-parser'

const root = path.resolve(import.meta.dirname, '..')
const src = path.join(root, 'src')
const allowed = JSON.parse(fs.readFileSync(path.join(root, 'scripts/imports.json'), 'utf8'))
const files = fs.readdirSync(src, { recursive: true }).filter((f) => /\.m?ts$/.test(f) && !/\.d\.m?ts$/.test(f))
const roomOf = (file) => file.split(path.sep)[0].replace(/\.ts$/, '')
const problems = []
const arrows = new Map()

for (const file of files) {
  const parts = file.split(path.sep)
  if (parts.length > 3) problems.push(`${file}: lies deeper than src/<room>/<set>/file.ts`)
  const room = roomOf(file)
  const table = allowed[room]
  if (!table) {
    problems.push(`${file}: room "${room}" is not in scripts/imports.json`)
    continue
  }
  const code = fs.readFileSync(path.join(src, file), 'utf8')
  const { module } = parseSync(file, code)
  const specifiers = [
    ...module.staticImports.map((i) => i.moduleRequest.value),
    ...module.staticExports.flatMap((e) => e.entries.flatMap((x) => (x.moduleRequest ? [x.moduleRequest.value] : []))),
    ...module.dynamicImports.map((i) => code.slice(i.moduleRequest.start, i.moduleRequest.end).replace(/^['"`]|['"`]$/g, '')),
  ]
  for (const specifier of specifiers) {
    if (!specifier.startsWith('.')) continue
    const target = path.relative(src, path.resolve(src, path.dirname(file), specifier)).replace(/\.(m?)js$/, '.$1ts')
    if (target.startsWith('..')) {
      problems.push(`${file}: imports "${specifier}", outside src/`)
      continue
    }
    if (!fs.existsSync(path.join(src, target))) problems.push(`${file}: imports "${specifier}", which does not exist`)
    const to = roomOf(target)
    if (to === room) continue
    const fine = table.includes(to) || (table.includes('*') && !table.includes(`!${to}`))
    if (!fine)
      problems.push(`${file}: room "${room}" may not import "${to}" (${specifier}); it may import: ${table.join(', ') || 'nothing'}`)
    if (!arrows.has(room)) arrows.set(room, new Map())
    arrows.get(room).set(to, file)
  }
}

const visit = (room, trail) => {
  if (trail.includes(room)) {
    const cycle = [...trail.slice(trail.indexOf(room)), room]
    problems.push(
      `cycle between rooms: ${cycle.join(' -> ')} (${cycle
        .slice(1)
        .map((to, i) => arrows.get(cycle[i]).get(to))
        .join(', ')})`,
    )
    return
  }
  for (const to of arrows.get(room)?.keys() ?? []) if (trail.length < 24) visit(to, [...trail, room])
}
const before = problems.length
for (const room of arrows.keys()) {
  visit(room, [])
  if (problems.length > before) break
}

if (problems.length) {
  console.error(`check-imports: ${problems.length} problem(s)\n${problems.map((p) => `  ${p}`).join('\n')}`)
  process.exit(1)
}
console.log(
  `check-imports: ${files.length} files, ${[...arrows.values()].reduce((n, m) => n + m.size, 0)} arrows between rooms, all in the table`,
)
