import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { ParsedSource } from '../../../../src/catalog/fact.js'
import { parseSource } from '../../../../src/catalog/sources/index.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { bank, errorsOf } from './support.js'

/** table -> `column base-type`, in order */
type Schema = Map<string, string[]>

const noColumn = /^(?:primary|unique|key|index|fulltext|spatial|constraint|foreign)$/i

/**
 * The oracle: another way to read the same dumps, which knows nothing of SQL. Comments go by pattern; a table begins at a line with
 * CREATE TABLE and ends at a line that begins with `)`; a column is a line whose first word is not that of a key.
 */
function readLines(text: string): Schema {
  const schema: Schema = new Map()
  let columns: string[] | null = null
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?:--|#)[^\n]*/g, '')
  for (const line of bare.split('\n')) {
    // one version of MediaWiki has "REATE TABLE", which can only mean one thing
    const made = /^\s*C?REATE TABLE (?:IF NOT EXISTS )?`?(\w+)`?\s*\(?\s*$/i.exec(line)
    if (made) schema.set(made[1]!, (columns = []))
    else if (/^\s*\)/.test(line)) columns = null
    const column = /^\s*`?(\w+)`?\s+(\w+)/.exec(line)
    if (columns && !made && column && !noColumn.test(column[1]!)) columns.push(`${column[1]} ${column[2]!.toLowerCase()}`)
  }
  return schema
}

function schemaOf({ facts }: ParsedSource): Schema {
  const schema: Schema = new Map()
  for (const fact of facts) {
    if (fact.fact !== 'node') continue
    if (fact.kind === 'Table') schema.set(fact.name, [])
    if (fact.kind !== 'Column') continue
    const table = fact.qualifiedName.split('.')[1]!
    schema.get(table)!.push(`${fact.name} ${(fact.properties['type_tree'] as { name: string }).name}`)
  }
  return schema
}

describeIf(sharedData, 'the shared data folder is absent', 'real histories of MySQL schemas', () => {
  it.each([
    ['mediawiki', 110, 25_184],
    ['coppermine', 118, 17_699],
  ])('%s: every version is read whole, as a second reader has it', async (project, versions, allColumns) => {
    const folder = path.join(sharedData!, 'schema-history', project)
    const files = fs.readdirSync(folder).sort()
    let columns = 0
    for (const file of files) {
      const text = fs.readFileSync(path.join(folder, file), 'utf8')
      const parsed = await parseSource('mysql-ddl', text, { ...bank, file })
      expect(errorsOf(parsed), file).toEqual([])
      const [ours, theirs] = [schemaOf(parsed), readLines(text)]
      expect([...ours.keys()], file).toEqual([...theirs.keys()])
      for (const [table, expected] of theirs) expect(ours.get(table), `${file}: ${table}`).toEqual(expected)
      columns += [...ours.values()].flat().length
    }
    expect(files).toHaveLength(versions)
    expect(columns).toBe(allColumns)
  })
})
