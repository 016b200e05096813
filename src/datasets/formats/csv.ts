import { type Problem, problem } from '../../util/problem.js'
import { setMember } from '../../util/record.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { datasetKinds } from '../version.js'
import { type Column, columnsOf, tabularColumns } from './columns.js'
import { type Cell, type CsvRecord, guardFormula, printCell, readCsv, unguardFormula } from './csv-records.js'
import type { DatasetFormat, ReadItem, RowSource, WriteOptions } from './format.js'
import { decodeText, encodeText } from './text.js'

const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Texts are quoted where they could be taken for something else; nothing stands for null. */
function tabularCell(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return JSON.stringify(value)
  const guarded = guardFormula(value)
  return numberText.test(guarded) || /^(?:true|false|null)$/.test(guarded) ? `"${guarded}"` : printCell(guarded)
}

function tabularValue({ text, quoted }: Cell): JsonValue {
  if (quoted) return unguardFormula(text)
  if (text === '') return null
  return isNumber(text) || text === 'true' || text === 'false' ? (JSON.parse(text) as JsonValue) : unguardFormula(text)
}

/** A number that we can hold: not 1e999, and not an integer (an id of 64 bits, say) of which digits would be lost. */
const isNumber = (text: string): boolean =>
  numberText.test(text) && Number.isFinite(Number(text)) && (!/^-?\d{16,}$/.test(text) || String(Number(text)) === text)

/** An own field as a cell: texts guarded, everything else as JSON. */
function fieldCell(value: JsonValue | undefined, { type }: Column): string {
  if (value === null || value === undefined) return ''
  return printCell(type === 'text' && typeof value === 'string' ? guardFormula(value) : JSON.stringify(value))
}

async function* printed(rows: RowSource, { kind }: WriteOptions): AsyncGenerator<string> {
  const isTabular = kind === 'tabular'
  const columns: readonly Column[] = isTabular ? await tabularColumns(rows()) : columnsOf(kind)
  if (columns.length === 0) return
  const line = (cells: string[]) => `${cells.join(',')}\r\n`
  yield line(columns.map(({ name }) => printName(guardFormula(name))))
  for await (const row of rows())
    yield line(
      columns.map((column) => {
        const value = (row as Properties)[column.name]
        return isTabular ? tabularCell(value) : fieldCell(value, column)
      }),
    )
}

/** Quoted where a lone name would look like several that something else separates. */
const printName = (name: string): string => (otherSeparator.test(name) ? `"${name.replaceAll('"', '""')}"` : printCell(name))

const otherSeparator = /[;\t|]/

/** The names in the first line, each once; null when there is none to read by. */
function readHeader({ cells, line }: CsvRecord, file: string, problems: Problem[]): string[] {
  const names = cells.map(({ text }) => unguardFormula(text).trim())
  const [other] = cells.length === 1 && !cells[0]!.quoted ? (otherSeparator.exec(cells[0]!.text) ?? []) : []
  if (other !== undefined) {
    const found = `one name, "${cells[0]!.text.slice(0, 60)}"`
    const suggestion = `The file seems to be separated by ${JSON.stringify(other)}: save it with commas, or quote the name.`
    problems.push(problem({ code: 'separator', where: `${file}:${line}`, found, expected: 'names with commas between them', suggestion }))
  }
  names.forEach((name, i) => {
    const where = `${file}:${line}`
    if (name === '')
      problems.push(problem({ code: 'no-name', where, found: `column ${i + 1} without a name`, expected: 'a name for every column' }))
    else if (names.indexOf(name) < i) problems.push(problem({ code: 'repeated-name', where, found: name, expected: 'every name once' }))
  })
  return names
}

function readRecord(record: CsvRecord, names: readonly string[], file: string, isTabular: boolean): ReadItem {
  const where = `${file}:${record.line}`
  if (record.broken)
    return {
      where,
      problems: [problem({ code: 'bad-quotes', where, found: record.broken, expected: 'quotes around a whole cell, doubled inside it' })],
    }
  if (record.cells.length !== names.length) {
    const found = `${record.cells.length} cells`
    return {
      where,
      problems: [problem({ code: 'cell-count', where, found, expected: `${names.length}, as many as the first line names` })],
    }
  }
  const value: Record<string, unknown> = {}
  record.cells.forEach((cell, i) => {
    if (isTabular) setMember<unknown>(value, names[i]!, tabularValue(cell))
    else if (cell.text !== '' || cell.quoted) setMember<unknown>(value, names[i]!, unguardFormula(cell.text))
  })
  return { where, value }
}

/**
 * CSV (RFC 4180) with names in its first line. Nothing between two commas is no value, `""` an empty text; entities and metadata are JSON.
 * Texts that a spreadsheet would run as formulas are written with a quote before them, which is taken off again on reading.
 */
export const csv: DatasetFormat = {
  name: 'csv',
  title: 'CSV with names in the first line',
  extensions: ['.csv'],
  mediaType: 'text/csv',
  kinds: datasetKinds,
  loses: null,
  untyped: true,
  async *read(source, { file, kind }) {
    let names: string[] | undefined
    for await (const record of readCsv(decodeText(source, file))) {
      if (names) {
        yield readRecord(record, names, file, kind === 'tabular')
        continue
      }
      const problems: Problem[] = []
      names = readHeader(record, file, problems)
      if (problems.length > 0) {
        yield { where: `${file}:${record.line}`, problems }
        return
      }
    }
  },
  write: (rows, options) => encodeText(printed(rows, options)),
}
