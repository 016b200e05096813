import { type Token, tokenize } from './tokenizer.js'

/** What the guard changes in a text before it runs: tokens put in or left out, by the index of the token they belong to. */
export class Edits {
  private readonly after = new Map<number, Token[]>()
  private readonly dropped = new Set<number>()

  /** `text` comes after token `at`; with a blank before it where it begins with one. */
  insert(at: number, text: string): void {
    const tokens = tokenize(text).map((token, i) => (i === 0 ? { ...token, spaced: text.startsWith(' ') } : token))
    this.after.set(at, [...(this.after.get(at) ?? []), ...tokens])
  }

  drop(at: number): void {
    this.dropped.add(at)
  }

  apply(tokens: readonly Token[]): readonly Token[] {
    if (this.after.size + this.dropped.size === 0) return tokens
    return tokens.flatMap((token, i) => [...(this.dropped.has(i) ? [] : [token]), ...(this.after.get(i) ?? [])])
  }
}
