import { type Source, wholeText } from './source.js'
import type { SqlDialect } from './sql-dialect.js'
import { parseSqlScript } from './sql-script.js'

/** How a script of a dialect is told from those of others: without any of this it is taken for Hive's. */
export interface Telling {
  /** lower-case, with the dot, the most telling first */
  extensions: readonly string[]
  /** words that only this dialect has (comments are not searched) */
  words: RegExp
  /** what its dumps begin with, in a comment */
  heading?: RegExp
}

/** A dialect as a source. */
export const sqlSource = (dialect: SqlDialect, { extensions, words, heading }: Telling): Source => ({
  name: dialect.title,
  extensions,
  looksLike: (head) =>
    heading?.test(head) === true || (/\b(?:create|alter)\s/i.test(head) && words.test(head.replace(/--[^\n]*|\bcomment\s+'[^']*'/gi, ''))),
  parse: async (text, context) => parseSqlScript(await wholeText(text), dialect, context),
  byContentOnly: true,
})
