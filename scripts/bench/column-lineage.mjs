/**
 * Column lineage of TPC-DS against the answers written by hand (test/unit/catalog/sources/lineage/tpcds-truth.txt, with its rules).
 * Each query is read as a view beside the DDL, through the catalog's own front door. Its columns' flows are compared pair by pair
 * (output column, base column): values and what only steers them apart; names, order and transformations too.
 */
import fs from 'node:fs'
import path from 'node:path'

export const title = 'column lineage of TPC-DS queries for Hive, against the truth written by hand'

const root = path.resolve(import.meta.dirname, '../..')
export const truthFile = path.join(root, 'test/unit/catalog/sources/lineage/tpcds-truth.txt')
export const dataFolder = path.resolve(root, '../shared/data/hive')

const list = (text) =>
  (text ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean)

/** The truth: name of a query -> its columns in order, each `{ name, transformation, direct, indirect }`. */
export function readTruth(text) {
  const queries = new Map()
  let columns = null
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const query = /^q\d+(?:\.\d+)?$/.exec(line)
    const copy = /^copy (\w+): (.+)$/.exec(line)
    const flow = /^(.+?) : (\w+)(?: <- ([^|]+))?(?: ?\| (.+))?$/.exec(line)
    if (query) queries.set(line, (columns = []))
    else if (copy) {
      for (const name of list(copy[2])) columns.push({ name, transformation: 'copy', direct: [`${copy[1]}.${name}`], indirect: [] })
    } else if (flow) {
      const [, names, transformation, direct, indirect] = flow
      for (const name of list(names)) columns.push({ name, transformation, direct: list(direct), indirect: list(indirect) })
    } else throw new Error(`truth, line ${i + 1}: neither a query, a copy nor a column: ${line}`)
  }
  return queries
}

/** `q24.sql` with two statements -> `q24.1`, `q24.2`; with one -> `q24`. */
export function readQueries(folder) {
  const queries = new Map()
  for (const file of fs.readdirSync(folder).sort((a, b) => Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10))) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8').replace(/^\s*--.*$/gm, '')
    const statements = text.split(';').filter((s) => s.trim() !== '')
    for (const [i, s] of statements.entries()) queries.set(path.basename(file, '.sql') + (statements.length > 1 ? `.${i + 1}` : ''), s)
  }
  return queries
}

const context = { projectId: 'p', systemId: 's', file: 'tpcds.sql', defaultDatabase: 'tpcds' }
const viewName = (query) => query.replace('.', '_')

/** Reads the queries as views; `parse(text, context)` gives facts and problems. */
export async function readAnswers(parse, ddl, queries, truth) {
  const views = [...queries].map(([query, text]) => {
    const names = truth.get(query)?.map((c) => c.name) ?? []
    // a view cannot have two columns of one name: those get numbers
    const own = new Set(names).size < names.length ? ` (${names.map((_, i) => `column_${i}`).join(', ')})` : ''
    return `create view ${viewName(query)}${own} as ${text}`
  })
  const { facts, problems } = await parse([ddl, 'use tpcds', ...views].join(';\n'), {
    ...context,
    variables: { DB: 'tpcds', LOCATION: '/' },
  })
  const columns = new Map()
  for (const fact of facts) {
    if (fact.label === 'HAS_COLUMN') columns.set(fact.targetId, { transformations: new Set(), direct: [], indirect: [] })
    if (fact.label !== 'DATA_FLOW' || !columns.has(fact.targetId)) continue
    const column = columns.get(fact.targetId)
    column.transformations.add(fact.properties.transformation)
    const from = fact.sourceId === '' ? JSON.stringify(fact.properties.unresolved) : fact.sourceId.replace(/^.*:tpcds\./, '')
    column[fact.properties.indirect ? 'indirect' : 'direct'].push(from)
  }
  for (const fact of facts)
    if (fact.kind === 'Column' && columns.has(fact.id)) columns.get(fact.id).transformation = fact.properties.transformation
  const answers = new Map()
  for (const query of queries.keys()) {
    const prefix = `p/s/column:tpcds.${viewName(query)}.`
    const own = [...columns].filter(([id]) => id.startsWith(prefix))
    answers.set(
      query,
      own.map(([id, c]) => ({ name: id.slice(prefix.length).replaceAll('"', '').replaceAll('`', ''), ...c })),
    )
  }
  return { answers, problems }
}

/** Right, false and missed pairs of one kind. */
function compare(wanted, given) {
  const right = given.filter((g) => wanted.includes(g)).length
  return { right, wrong: given.length - right, missed: wanted.length - right }
}

/** One row per query: pairs right, false and missed for values (`direct`) and for what steers them (`indirect`), columns and transformations. */
export function score(truth, answers) {
  const rows = []
  const differences = []
  for (const [query, wanted] of truth) {
    const given = answers.get(query) ?? []
    const row = { query, columns: wanted.length, named: 0, transformed: 0, direct: [0, 0, 0], indirect: [0, 0, 0] }
    const repeated = new Set(wanted.map((c) => c.name)).size < wanted.length
    for (let i = 0; i < Math.max(wanted.length, given.length); i++) {
      const w = wanted[i] ?? { name: null, transformation: null, direct: [], indirect: [] }
      const g = given[i] ?? { name: null, transformations: new Set(), direct: [], indirect: [] }
      const isNamed = repeated ? g.name === `column_${i}` : g.name === w.name
      if (isNamed) row.named++
      else differences.push(`${query} column ${i}: "${g.name}" for "${w.name}"`)
      // the column's own word and that of each of its flows: one and the same
      const how = [...new Set([g.transformation, ...g.transformations])].join('+')
      if (how === w.transformation) row.transformed++
      else differences.push(`${query}.${w.name}: ${how || 'nothing'} for ${w.transformation}`)
      for (const kind of ['direct', 'indirect']) {
        const { right, wrong, missed } = compare(w[kind], g[kind])
        row[kind] = row[kind].map((n, k) => n + [right, wrong, missed][k])
        if (wrong + missed > 0)
          differences.push(
            `${query}.${w.name}: ${kind} ${g[kind].sort().join(', ') || 'none'} for ${[...w[kind]].sort().join(', ') || 'none'}`,
          )
      }
    }
    rows.push(row)
  }
  return { rows, differences }
}

/** Sums rows to one. */
export const total = (rows) =>
  rows.reduce((all, r) => ({
    query: 'total',
    columns: all.columns + r.columns,
    named: all.named + r.named,
    transformed: all.transformed + r.transformed,
    direct: all.direct.map((n, i) => n + r.direct[i]),
    indirect: all.indirect.map((n, i) => n + r.indirect[i]),
  }))

/** Of what was said, how much is right; of what is so, how much was said. 1 where there is nothing. */
export const precision = ([right, wrong]) => (right + wrong === 0 ? 1 : right / (right + wrong))
export const recall = ([right, , missed]) => (right + missed === 0 ? 1 : right / (right + missed))

/** Everything for one parser: what `run` prints and the test asserts. */
export async function measure(parse, folder = dataFolder) {
  const truth = readTruth(fs.readFileSync(truthFile, 'utf8'))
  const queries = readQueries(path.join(folder, 'queries-tpcds'))
  const ddl = fs.readFileSync(path.join(folder, 'ddl-tpcds/text/alltables.sql'), 'utf8')
  const { answers, problems } = await readAnswers(parse, ddl, queries, truth)
  return { truth, queries, answers, problems, ...score(truth, answers) }
}

export async function run() {
  const { parseSource } = await import('../../dist/catalog/sources/index.js')
  if (!fs.existsSync(dataFolder)) return { rows: [], notes: [`skipped: no data in ${dataFolder}`] }
  const { rows, differences, problems, queries, truth } = await measure((text, c) => parseSource('hive-ddl', text, c))
  const shown = (row) => ({
    query: row.query,
    columns: row.columns,
    'names right': row.named,
    'transformations right': row.transformed,
    'value pairs': row.direct[0] + row.direct[2],
    precision: precision(row.direct).toFixed(3),
    recall: recall(row.direct).toFixed(3),
    'indirect pairs': row.indirect[0] + row.indirect[2],
    'precision ': precision(row.indirect).toFixed(3),
    'recall ': recall(row.indirect).toFixed(3),
  })
  const missing = [...queries.keys()].filter((q) => !truth.has(q))
  return {
    rows: [...rows, total(rows)].map(shown),
    notes: [
      `${truth.size} of ${queries.size} statements have a truth${missing.length > 0 ? ` (not ${missing.join(', ')})` : ''}`,
      `problems: ${problems.filter((p) => p.severity !== 'info').length}`,
      ...differences,
    ],
  }
}
