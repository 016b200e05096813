import type { SqlReading } from '../sql/sql-reading.js'
import type { Token } from '../sql/sql-tokens.js'
import { rewriteQuery } from './sql-rewrite.js'
import { is } from './sql-token-edits.js'

/** A query in the words of Hive. */
export interface Respelled {
  text: string
  /** where each token of the text begins, and where it stood in the script */
  starts: { at: number; from: number }[]
  isRecursive: boolean
}

/** Spells a query for Hive: what its dialect says otherwise, names in back-ticks where they may be key words there, texts with its escapes. */
export function respell(given: readonly Token[], reading: SqlReading): Respelled {
  const { tokens, isRecursive } = rewriteQuery(given, reading.dialect.dialect)
  const out: { text: string; from: number; glued: boolean }[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const before = tokens[i - 1]
    const catalog = catalogLength(tokens, i)
    if (catalog > 0) {
      const parts = tokens.slice(i, i + catalog).filter((t) => t.text !== '.')
      out.push({ text: quoteName(parts.map((t) => t.value).join('.')), from: token.start, glued: false })
      i += catalog - 1
      continue
    }
    const isNext = before !== undefined && before.end === token.start && before.end > before.start && token.end > token.start
    out.push({ text: spell(token, before, tokens[i + 1], reading), from: token.start, glued: token.glued ?? isNext })
  }
  let text = ''
  const starts = out.map(({ text: piece, from, glued }) => {
    if (text !== '' && !glued) text += ' '
    const at = text.length
    text += piece
    return { at, from }
  })
  return { text, starts, isRecursive }
}

/** `catalog.schema` of a table with three parts: how many tokens it has. The catalog is part of the database's name. */
function catalogLength(tokens: readonly Token[], i: number): number {
  if (!is(tokens[i - 1], 'from', 'join')) return 0
  const isTable =
    [1, 3].every((k) => tokens[i + k]?.text === '.') && [0, 2, 4].every((k) => /^(?:word|quoted)$/.test(tokens[i + k]?.kind ?? ''))
  return isTable && tokens[i + 5]?.text !== '.' && tokens[i + 5]?.text !== '(' ? 3 : 0
}

const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

function spell(token: Token, before: Token | undefined, after: Token | undefined, { dialect }: SqlReading): string {
  if (token.kind === 'quoted') return quoteName(token.value)
  if (token.kind === 'string') return `'${token.value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (token.kind !== 'word') return token.text
  const isCall = after?.text === '('
  if (isCall && is(token, 'try_cast', 'safe_cast')) return 'cast'
  const isPart = before?.text === '.' || (after?.text === '.' && after.kind === 'sign')
  if ((isPart || is(before, 'as')) && !isCall) return quoteName(token.value)
  return dialect.plainName(token.text)
}
