/** What a shell command does with tables, as far as its SQL says. Names as written, unquoted, each once. */
export interface CommandTables {
  reads: string[]
  writes: string[]
}

const sqlVerb = /\b(?:select|insert|update|delete|merge|truncate|create|drop|alter|load|msck|analyze|import|export)\b/i
const name = String.raw`((?:\x60[^\x60]+\x60|[\p{L}_$][\p{L}\p{N}_$]*)(?:\.(?:\x60[^\x60]+\x60|[\p{L}_$][\p{L}\p{N}_$]*)){0,2})`
const mention = new RegExp(
  String.raw`\b(delete\s+from|from|join|merge\s+into|insert\s+into(?:\s+table)?|insert\s+overwrite(?:\s+table)?|overwrite\s+table|into(?:\s+table)?|update|table)\s+(?:if\s+(?:not\s+)?exists\s+)?${name}`,
  'giu',
)
/** Words that may follow FROM, TABLE … without being a table. */
const notTables = new Set([
  'select',
  'set',
  'if',
  'exists',
  'only',
  'values',
  'lateral',
  'unnest',
  'local',
  'directory',
  'overwrite',
  'table',
  'the',
  'a',
])

/**
 * The tables that the SQL inside a command names: FROM and JOIN read; INTO, OVERWRITE, UPDATE, MERGE INTO, DELETE FROM and `TABLE` write.
 * A command without any SQL verb names none (`echo from here`); a CTE's name is not a table.
 */
export function tablesOfCommand(command: string): CommandTables {
  if (!sqlVerb.test(command)) return { reads: [], writes: [] }
  const text = command.replace(/--\s[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
  const ctes = new Set([...text.matchAll(/(?:\bwith|,)\s+([\p{L}_][\p{L}\p{N}_]*)\s+as\s*\(/giu)].map((m) => m[1]!.toLowerCase()))
  const reads = new Map<string, string>()
  const writes = new Map<string, string>()
  for (const match of text.matchAll(mention)) {
    const word = match[1]!.toLowerCase()
    const table = match[2]!.replaceAll('`', '')
    if (notTables.has(table.toLowerCase()) || ctes.has(table.toLowerCase()) || isFunction(text, match)) continue
    const into = word === 'from' || word === 'join' ? reads : writes
    if (!into.has(table.toLowerCase())) into.set(table.toLowerCase(), table)
  }
  return { reads: [...reads.values()], writes: [...writes.values()] }
}

/** `FROM x(` is a call, `EXTRACT(YEAR FROM d)` and `TRIM(… FROM c)` are no tables. */
function isFunction(text: string, match: RegExpMatchArray): boolean {
  const before = text.slice(0, match.index)
  const opened = before.lastIndexOf('(')
  return (
    match[1]!.toLowerCase() === 'from' &&
    opened > before.lastIndexOf(')') &&
    /\b(?:extract|trim|substring|overlay)\s*$/i.test(before.slice(0, opened))
  )
}
