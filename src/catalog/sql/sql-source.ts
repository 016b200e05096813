import { type Source, wholeText } from '../sources/source.js'
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

/** Words that only Hive (and Spark, which is asked first) has. */
const ofHive = /\b(?:stored\s+(?:as|by)|row\s+format|tblproperties|novalidate|lateral\s+view|external\s+table|clustered\s+by|msck)\b/i

/** A dialect as a source. */
export const sqlSource = (dialect: SqlDialect, { extensions, words, heading }: Telling): Source => ({
  name: dialect.title,
  extensions,
  looksLike: (head) => {
    if (heading?.test(head)) return true
    const bare = head.replace(/--[^\n]*|\bcomment\s+'[^']*'/gi, '')
    return /\b(?:create|alter)\s/i.test(bare) && words.test(bare) && (dialect.hasPartitionColumns || !ofHive.test(bare))
  },
  parse: async (text, context) => parseSqlScript(await wholeText(text), dialect, context),
  byContentOnly: true,
})
