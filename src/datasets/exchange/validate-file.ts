import type { ByteSource, DatasetFormat } from '../formats/format.js'
import { parseValidationOptions, type ValidationOptionsInput } from '../validation/options.js'
import { type RowToValidate, type ValidationReport, validateRows } from '../validation/validate.js'
import { chooseFormat, type ImportOptions, requiredLabels } from './import.js'
import { noFacts, type RowReading, readRows, readValues } from './read-rows.js'

export interface FileValidation extends Pick<ImportOptions, 'format' | 'mapping' | 'spans' | 'keepUnknown'> {
  /** opens the file; it is read twice */
  open(): ByteSource
  file: string
  kind: RowReading['kind']
  options?: ValidationOptionsInput
}

export interface CheckedFile {
  format: DatasetFormat
  /** field of the file -> field of the row, as it was done */
  mapping: Record<string, string>
  report: ValidationReport
}

/**
 * A file of any format judged as a version would be, without a dataset: broken lines and rows that do not fit their kind are issues of the
 * report like all others, each with its line. Labels that the file has under other names are those that are required, as of an import.
 */
export async function validateFile(request: FileValidation): Promise<CheckedFile> {
  const { open, kind, file } = request
  const options = parseValidationOptions(request.options)
  const { format, source } = await chooseFormat({ format: request.format, source: open() }, file)
  const reading: RowReading = { ...request, kind, file, format }
  const facts = noFacts()
  for await (const _ of readRows(source, reading, facts));
  const required = options.requiredLabels ?? requiredLabels(facts) ?? undefined
  const asked = required === undefined ? options : { ...options, requiredLabels: required }
  const report = await validateRows(valuesOf(open(), reading), kind, asked)
  return { format, mapping: Object.fromEntries(facts.mapped), report }
}

async function* valuesOf(source: ByteSource, reading: RowReading): AsyncGenerator<RowToValidate> {
  for await (const { where, value, problems } of readValues(source, reading, noFacts())) {
    const line = /(?::| row )(\d+)$/.exec(where)?.[1]
    yield { row: value, problems, ...(line !== undefined && { line: Number(line) }) }
  }
}
