import type { ParsedSource, SourceContext } from '../fact.js'

/** A whole text, or its pieces in order (a file read as a stream): cut anywhere, even inside a line. */
export type SourceText = string | AsyncIterable<string> | Iterable<string>

/** One dialect of metadata: how its files are recognised, and how they become facts. Parsing is pure and never throws on bad input. */
export interface Source {
  /** what a person calls it */
  name: string
  /** lower-case, with the dot, the most telling first */
  extensions: readonly string[]
  /** does the beginning of a file (at most 4,000 characters) look like this dialect? */
  looksLike(head: string): boolean
  parse(text: SourceText, context: SourceContext): Promise<ParsedSource>
  /** its endings are another dialect's too: a file is of this one only if its beginning looks like it */
  byContentOnly?: true
  /** it tells of earlier times too (`ParsedSource.moments`) */
  tellsTimes?: true
}

/** The pieces of a text, whichever way it came. */
export async function* pieces(text: SourceText): AsyncGenerator<string> {
  if (typeof text === 'string') yield text
  else yield* text
}

/** V8 holds strings of up to half a billion characters, and what is made of a text takes several times its size. */
const longestText = 256 * 2 ** 20

/** The whole text in one string. Throws where it is longer than 256 Mi characters: who parses makes a problem of it. */
export async function wholeText(text: SourceText): Promise<string> {
  const parts: string[] = []
  let length = 0
  for await (const piece of pieces(text)) {
    length += piece.length
    if (length > longestText) throw new RangeError('more than 256 Mi characters, which can only be read of JSON tables and Control-M XML')
    parts.push(piece)
  }
  return parts.length === 1 ? parts[0]! : parts.join('')
}
