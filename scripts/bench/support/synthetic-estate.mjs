/**
 * A made-up estate of any size, the same for the same options: tables of equal width in databases of 100 tables, typed and commented
 * columns, as a source of DDL would tell of them. Facts are made one by one, so that no more than one is in memory.
 */
const types = [
  ['bigint', { name: 'bigint' }, 'number'],
  ['string', { name: 'string' }, 'string'],
  ['decimal(18,2)', { name: 'decimal', arguments: [18, 2] }, 'number'],
  ['timestamp', { name: 'timestamp' }, 'date'],
  ['boolean', { name: 'boolean' }, 'boolean'],
  ['array<string>', { name: 'array', elements: [{ name: 'string' }] }, 'array'],
]

const typeOf = (table, column) => (table * 7 + column * 3) % types.length
const databaseOf = (table) => `db_${Math.floor(table / 100)}`
const tableName = (table, stem = 'table') => `${stem}_${table}`
const columnName = (column) => `column_${column}`

/** Column c of a table has another type in a later state of the estate: every `1 / changed`-th of all. */
const isChanged = (ordinal, changed) => changed > 0 && ordinal % Math.round(1 / changed) === 0

/**
 * `columns` columns in tables of `width`; `changed`: the part of the columns whose type is another one than with 0; `stem`: what the names
 * of tables begin with. What two estates of one stem say of a column is the same but for its id.
 */
export function* estateFacts(options) {
  const { columns, width = 30, changed = 0, stem, projectId = 'bench', systemId = 'warehouse', file = 'estate.sql' } = options
  const prefix = `${projectId}/${systemId}`
  let left = columns
  for (let table = 0; left > 0; table++) {
    const provenance = { dialect: 'hive-ddl', file, location: `line ${table + 1}` }
    const node = (kind, slug, name, qualifiedName, properties) => ({
      ...{ fact: 'node', id: `${prefix}/${slug}:${qualifiedName}`, kind, name, qualifiedName, properties, provenance },
    })
    const database = databaseOf(table)
    if (table % 100 === 0) yield node('Database', 'database', database, database, {})
    const qualified = `${database}.${tableName(table, stem)}`
    const width_ = Math.min(width, left)
    yield node('Table', 'table', tableName(table, stem), qualified, { table_type: 'managed', column_count: width_ })
    const tableId = `${prefix}/table:${qualified}`
    yield { fact: 'edge', sourceId: `${prefix}/database:${database}`, label: 'CONTAINS', targetId: tableId, properties: {}, provenance }
    for (let column = 0; column < width_; column++) {
      const ordinal = columns - left + column
      const [text, tree, canonical] = types[(typeOf(table, column) + (isChanged(ordinal, changed) ? 1 : 0)) % types.length]
      const name = columnName(column)
      const properties = { data_type: text, type_tree: tree, canonical_type: canonical, ordinal: column + 1, nullable: column > 0 }
      const full = `${qualified}.${name}`
      yield node('Column', 'column', name, full, { ...properties, is_partition: false, comment: `${name} of ${qualified}` })
      yield { fact: 'edge', sourceId: tableId, label: 'HAS_COLUMN', targetId: `${prefix}/column:${full}`, properties: {}, provenance }
    }
    left -= width_
  }
}

/** The text of some of its tables in a dialect, about as people write it. */
export const estateTexts = {
  'hive-ddl': ({ tables, width = 30 }) =>
    Array.from({ length: tables }, (_, table) => {
      const lines = Array.from(
        { length: width },
        (_, column) => `  ${columnName(column)} ${types[typeOf(table, column)][0]} COMMENT 'column ${column}'`,
      )
      return `CREATE TABLE ${databaseOf(table)}.${tableName(table)} (\n${lines.join(',\n')}\n) STORED AS ORC;`
    }).join('\n\n'),
  'json-table': ({ tables: rows, width = 30 }) =>
    JSON.stringify(
      Array.from({ length: rows }, (_, row) =>
        Object.fromEntries(Array.from({ length: width }, (_, c) => [columnName(c), c % 2 ? row : `value ${row}`])),
      ),
    ),
  'control-m-xml': ({ tables: jobs }) =>
    `<DEFTABLE>\n<FOLDER FOLDER_NAME="NIGHT">\n${Array.from(
      { length: jobs },
      (_, job) =>
        `<JOB JOBNAME="JOB_${job}" APPLICATION="BENCH" CMDLINE="run.sh ${job}" TASKTYPE="Command">` +
        `<INCOND NAME="DONE_${job}" ODATE="ODAT" AND_OR="A"/><OUTCOND NAME="DONE_${job + 1}" ODATE="ODAT" SIGN="+"/></JOB>`,
    ).join('\n')}\n</FOLDER>\n</DEFTABLE>\n`,
}
