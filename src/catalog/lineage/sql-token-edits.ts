import type { Token } from '../sql/sql-tokens.js'

/** Is the token one of these key words? */
export const is = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toLowerCase())
export const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === 'sign' && token.text === sign
export const isName = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'quoted'
export const isGroup = (token: Token | undefined): boolean => isSign(token, '(')

/** Made tokens have no length: they stand where `at` stands, apart from their neighbours. */
export const made = (kind: Token['kind'], text: string, at: Token, value = text): Token => ({
  kind,
  text,
  value,
  start: at.start,
  end: at.start,
})
export const words = (text: string, at: Token): Token[] => text.split(' ').map((t) => made(/^[\p{L}_]/u.test(t) ? 'word' : 'sign', t, at))
/** As it is to stand in the Hive text. */
export const verbatim = (text: string, at: Token): Token => made('sign', text, at)

/** Index of what closes the parenthesis (or bracket) at `open`; the number of tokens where nothing does. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    const { kind, text } = tokens[i]!
    if (kind !== 'sign') continue
    if (text === '(' || text === '[') depth++
    if ((text === ')' || text === ']') && --depth === 0) return i
  }
  return tokens.length
}

/** Index of what opened the parenthesis at `close`; -1 where nothing did. */
export function opening(tokens: readonly Token[], close: number): number {
  let depth = 0
  for (let i = close; i >= 0; i--) {
    if (isSign(tokens[i], ')')) depth++
    if (isSign(tokens[i], '(') && --depth === 0) return i
  }
  return -1
}

/** The first index from `from` on, at its own depth and before its group ends, where `test` holds; the end of the group otherwise. */
export function ahead(tokens: readonly Token[], from: number, test: (i: number) => boolean): number {
  for (let i = from; i < tokens.length; i++) {
    if (test(i) || isSign(tokens[i], ')') || isSign(tokens[i], ']')) return i
    if (isGroup(tokens[i]) || isSign(tokens[i], '[')) i = closing(tokens, i)
  }
  return tokens.length
}

/** `a.b.c`, from `from` on: the index behind it. */
export function behindName(tokens: readonly Token[], from: number): number {
  let i = from + 1
  while (isSign(tokens[i], '.') && isName(tokens[i + 1])) i += 2
  return i
}

/** Goes over the tokens; where `step` answers, `take` of them are replaced by `put`. What was put is not looked at again. */
export function replace(tokens: readonly Token[], step: (i: number, out: Token[]) => { take: number; put?: Token[] } | null): Token[] {
  const out: Token[] = []
  for (let i = 0; i < tokens.length; i++) {
    const found = step(i, out)
    if (!found) out.push(tokens[i]!)
    else {
      out.push(...(found.put ?? []))
      i += found.take - 1
    }
  }
  return out
}

/** Index of the parenthesis that is open at `at`; -1 for none. */
export function enclosing(tokens: readonly Token[], at: number): number {
  let depth = 0
  for (let i = at - 1; i >= 0; i--) {
    if (isSign(tokens[i], ')')) depth++
    if (isSign(tokens[i], '(') && depth-- === 0) return i
  }
  return -1
}
