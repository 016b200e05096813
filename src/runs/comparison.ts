import type { JsonValue, Properties } from '../vocabulary.js'

type Row = Readonly<Record<string, JsonValue>>

/** Nested options by their path, `training.epochs`; lists stay whole. */
export function flattenOptions(options: Properties, path = ''): Properties {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]): [string, JsonValue][] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(flattenOptions(value, `${path}${name}.`))
        : [[`${path}${name}`, value]],
    ),
  )
}

/** name -> its value in every row, null where a row has none; names in order */
export function sideBySide(rows: readonly Row[]): Record<string, JsonValue[]> {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort()
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)]))
}

/** As sideBySide, without what is the same everywhere. */
export function differing(rows: readonly Row[]): Record<string, JsonValue[]> {
  const isSame = (values: readonly JsonValue[]) => new Set(values.map((value) => JSON.stringify(value))).size === 1
  return Object.fromEntries(Object.entries(sideBySide(rows)).filter(([, values]) => !isSame(values)))
}
