import { Refusal, type Token } from './tokenizer.js'

/** What closes each bracket. */
export const closing: Record<string, string> = { '(': ')', '[': ']', '{': '}' }
/** Brackets in one another, at most: engines recurse over them, and some end with their process. */
export const deepest = 60

/** Which bracket belongs to which, found once for the whole text: a search at every token would take quadratic time. */
export interface Brackets {
  /** for the index of an opening bracket, that of the one that closes it */
  close: Int32Array
  /** for every token, the index of the bracket that encloses it (for a closing bracket: the one that it closes); -1 at the top */
  enclosing: Int32Array
}

/** Throws a Refusal at the first bracket that has no match, or lies too deep. */
export function readBrackets(tokens: readonly Token[]): Brackets {
  const close = new Int32Array(tokens.length).fill(-1)
  const enclosing = new Int32Array(tokens.length).fill(-1)
  const open: number[] = []
  for (const [i, token] of tokens.entries()) {
    enclosing[i] = open.at(-1) ?? -1
    if (token.kind !== 'mark') continue
    if (token.text in closing) {
      if (open.length >= deepest) throw new Refusal(token.at, token.text, `at most ${deepest} brackets deep`)
      open.push(i)
    } else if (')]}'.includes(token.text)) {
      const from = open.pop()
      if (from === undefined || closing[tokens[from]!.text] !== token.text) throw new Refusal(token.at, token.text, 'brackets that match')
      close[from] = i
    }
  }
  const left = open.at(-1)
  if (left !== undefined) {
    const { at, text } = tokens[left]!
    throw new Refusal(at, text, `${closing[text]}`, 'Close the bracket')
  }
  return { close, enclosing }
}
