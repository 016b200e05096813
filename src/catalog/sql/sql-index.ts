import type { Properties } from '../../vocabulary.js'
import { append, dropNamed, named } from '../ddl/ddl-constraints.js'
import { type Relation, relationFor } from '../ddl/ddl-estate.js'
import { readKeyColumns } from './sql-keys.js'
import type { TokenReader } from './sql-reader.js'
import { applyDeclared, type SqlReading, tableNameOf } from './sql-reading.js'

/** CREATE [UNIQUE | FULLTEXT | SPATIAL] INDEX, from behind the word INDEX on. */
export function createIndex(r: TokenReader, modifiers: ReadonlySet<string>, reading: SqlReading): boolean {
  r.takeWords('concurrently')
  r.takeWords('if', 'not', 'exists')
  const name = r.isWords('on') ? null : r.dottedName('the name of the index').at(-1)!
  if (r.takeWords('using')) r.next()
  if (!r.takeWords('on')) r.fail('ON')
  r.takeWords('only')
  const place = r.place
  const table = tableNameOf(r.dottedName('the table'))
  const relation = relationFor(reading.estate, table, reading.line(place))
  const method = r.takeWords('using') ? r.next().text.toLowerCase() : ['fulltext', 'spatial'].find((m) => modifiers.has(m))
  const { columns, isPlain } = readKeyColumns(r, reading)
  const rest = r.rest()
  const where = /\bwhere\b\s*([\s\S]*)$/i.exec(rest)?.[1]
  const isUnique = modifiers.has('unique')
  if (!relation.complete && !isUnique) return false
  if (isUnique && isPlain && where === undefined) applyDeclared(relation, { kind: 'unique', name, columns }, place, reading)
  else {
    const more: Properties = {
      ...(isUnique ? { unique: true } : {}),
      ...(method && method !== 'btree' ? { method } : {}),
      ...(where === undefined ? {} : { where }),
    }
    append(relation.properties, 'indexes', named(name, { columns, ...more }))
  }
  return true
}

/** An index or a unique key, by name. */
export function dropIndex(relation: Relation, name: string, { estate: { fold } }: SqlReading): boolean {
  return dropNamed(relation, 'indexes', fold(name), fold) || dropNamed(relation, 'uniques', fold(name), fold)
}

/** DROP INDEX i ON t (MySQL), DROP INDEX i (PostgreSQL). */
export function dropIndexOf(r: TokenReader, reading: SqlReading): boolean {
  const name = r.dottedName('the name of the index').at(-1)!
  if (r.takeWords('on')) {
    const table = tableNameOf(r.dottedName('the table'))
    return dropIndex(relationFor(reading.estate, table, reading.line(r.place)), name, reading)
  }
  return [...reading.estate.relations.values()].some((relation) => dropIndex(relation, name, reading))
}

export function renameIndex(relation: Relation, r: TokenReader, { estate: { fold } }: SqlReading): void {
  const old = fold(r.name('the name of the index'))
  r.takeWords('to')
  const name = r.name('its new name')
  for (const list of ['indexes', 'uniques']) {
    const entries = relation.properties[list] as { name?: string }[] | undefined
    if (entries) relation.properties[list] = entries.map((e) => (fold(e.name ?? '') === old ? { ...e, name } : e)) as Properties[]
  }
}
