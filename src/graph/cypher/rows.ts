import { closing } from './brackets.js'
import { printTokens, type Token } from './tokenizer.js'
import { type ClauseWord, isClauseWord, operatorWords, refusedWords } from './words.js'

export interface Clause {
  word: ClauseWord
  /** token indices: [from, to), the keyword included */
  from: number
  to: number
}

/** The clauses of one branch of a UNION. */
export type Branch = Clause[]

/** The result's column names from the first branch's RETURN. */
export function columnsOf(tokens: readonly Token[], branch: Branch): string[] | null {
  const clause = branch.find((c) => c.word === 'RETURN')
  if (!clause) return null
  let from = clause.from + 1
  if (tokens[from]?.upper === 'DISTINCT') from++
  const columns: string[] = []
  let depth = 0
  for (let i = from; i <= clause.to; i++) {
    const text = tokens[i]?.text ?? ''
    if (i < clause.to && text in closing) depth++
    else if (i < clause.to && ')]}'.includes(text) && tokens[i]!.kind === 'mark') depth--
    if (i < clause.to && (depth > 0 || text !== ',')) continue
    if (tokens[from]?.text === '*' && i === from + 1) return null
    const alias = tokens[i - 2]?.upper === 'AS' && i - 2 > from ? tokens[i - 1]!.text.replaceAll('`', '') : undefined
    columns.push(alias ?? printTokens(tokens.slice(from, i)).trim())
    from = i + 1
  }
  return columns
}

/** Adds or lowers the last LIMIT, so that the engine does not make rows that nobody will see. A UNION's is left to the reader of rows. */
export function cutRows(tokens: readonly Token[], branches: readonly Branch[], rows: number | undefined): readonly Token[] {
  const last = branches[0]!.at(-1)!
  if (rows === undefined || branches.length > 1 || last.word === 'CALL') return tokens
  const extra = (text: string): Token => ({ kind: 'number', text, upper: '', spaced: true, at: 0 })
  const most = String(rows + 1)
  if (last.word !== 'LIMIT') return [...tokens, extra('LIMIT'), extra(most)]
  const [value, ...more] = tokens.slice(last.from + 1, last.to)
  if (more.length > 0 || value?.kind !== 'number' || !(Number(value.text) > rows)) return tokens
  return [...tokens.slice(0, last.from + 1), extra(most), ...tokens.slice(last.to)]
}

/** Grafeo takes no keyword as a name (`n.create`, `:Set`, `$delete`) unless it stands in back-ticks. */
export function quoteKeyword(token: Token, isName: boolean): Token {
  const word = token.kind === 'parameter' ? token.text.slice(1) : isName && token.kind === 'word' ? token.text : ''
  const upper = word.toUpperCase()
  const isKeyword = upper in refusedWords || upper in operatorWords || isClauseWord(upper)
  return isKeyword ? { ...token, text: token.text.replace(word, () => `\`${word}\``) } : token
}
