import fs from 'node:fs'
import path from 'node:path'
import type { Estate } from '../../src/datasets/estate.js'
import { EstateBuilder } from './small-estate.js'

interface SpiderSchema {
  db_id: string
  table_names_original: string[]
  column_names_original: [number, string][]
  column_types: string[]
  primary_keys: (number | number[])[]
  foreign_keys: [number, number][]
}

const types: Record<string, string> = { text: 'string', number: 'double', time: 'timestamp', boolean: 'boolean', others: 'binary' }

/** Spider's schemas (Yu et al. 2018) as an estate: a database each, with its declared keys. Its types are coarse: text, number, time, … */
export function spiderEstate(folder: string): Estate {
  const schemas = JSON.parse(fs.readFileSync(path.join(folder, 'spider/tables.json'), 'utf8')) as SpiderSchema[]
  const b = new EstateBuilder()
  for (const schema of schemas) addSchema(b, schema)
  return b.build()
}

function addSchema(b: EstateBuilder, schema: SpiderSchema): void {
  b.database(schema.db_id)
  const keys = new Set(schema.primary_keys.flat())
  schema.table_names_original.forEach((table, t) => {
    const columns = schema.column_names_original.flatMap(([owner, name], c) =>
      owner === t ? [[name, `${types[schema.column_types[c]!] ?? 'string'}${keys.has(c) ? '*' : ''}`] as const] : [],
    )
    b.table(schema.db_id, table, Object.fromEntries(columns))
  })
  const nameOf = (c: number) => {
    const [table, name] = schema.column_names_original[c]!
    return `${schema.db_id}.${schema.table_names_original[table]}.${name}`.toLowerCase()
  }
  schema.foreign_keys.forEach(([from, to], k) => {
    b.foreignKey(`fk_${k}`, [nameOf(from), nameOf(to)])
  })
}
