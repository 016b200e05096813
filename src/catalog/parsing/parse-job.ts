import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { EspalierError, messageOf } from '../../util/error.js'
import { canonicalJson, sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { parseSource } from '../sources/index.js'
import type { ParsedHead } from './parsed-facts.js'
import { readable, type TextPrint, type TextSource } from './text-source.js'

/** A text with all that its reading depends on. */
export interface ParseJob {
  dialect: string
  text: TextSource
  print: TextPrint
  context: SourceContext
}

let version: string | undefined
/** Changes whenever anything in the catalog that could have a part in reading texts does: another version may read them differently. */
function readersVersion(): string {
  const room = path.join(import.meta.dirname, '..')
  const sets = readdirSync(room, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const folders = [room, ...sets.map(({ name }) => path.join(room, name)), ...['../util', '../vendor'].map((name) => path.join(room, name))]
  const filesIn = (folder: string) => {
    try {
      return readdirSync(folder).filter((file) => /\.m?[jt]s$/.test(file))
    } catch {
      return []
    }
  }
  version ??= sha256(
    folders
      .flatMap((folder) => filesIn(folder).map((file) => `${file} ${sha256(readFileSync(path.join(folder, file)))}`))
      .sort()
      .join('\n'),
  )
  return version
}

/** A hash of the text and of all that its reading depends on. */
export const digestOf = ({ dialect, print, context }: ParseJob): string =>
  sha256(`${readersVersion()}\n${dialect}\n${canonicalJson(context)}\n${print.sha256}`)

/** Reads a text. What throws in there (it should not, whatever the text) is a problem that names the file; only a file that changes is not. */
export async function parseText({ dialect, text, print, context }: ParseJob): Promise<ParsedSource & { isFailed?: true }> {
  const strays = new Strays()
  try {
    const parsed = await parseSource(dialect, strays.watched(readable(text, print)), context)
    return strays.firstLine === null ? parsed : { ...parsed, problems: [notUtf8(context.file, strays.firstLine), ...parsed.problems] }
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown
    return { facts: [], problems: [failure(context.file, messageOf(thrown))], isFailed: true }
  }
}

const notUtf8 = (file: string, line: number): Problem =>
  problem({
    severity: 'warning',
    code: 'not-utf-8',
    where: `${file}:${line}`,
    found: 'bytes that are no UTF-8',
    expected: 'a text in UTF-8',
    suggestion: 'Names and comments with such characters cannot be told from each other: save the file as UTF-8 and ingest it again.',
  })

/** Watches for U+FFFD, which decoders put in the place of what is no UTF-8. */
class Strays {
  /** of the first one, from 1 */
  firstLine: number | null = null
  private lines = 1

  watched(text: string | AsyncIterable<string>): string | AsyncIterable<string> {
    if (typeof text !== 'string') return this.watchedPieces(text)
    this.look(text)
    return text
  }

  private async *watchedPieces(pieces: AsyncIterable<string>): AsyncGenerator<string> {
    for await (const piece of pieces) {
      if (this.firstLine === null) this.look(piece)
      yield piece
    }
  }

  private look(piece: string): void {
    const at = piece.indexOf('\uFFFD')
    // lines are counted only in files that are read piece by piece, or where there is something to tell
    for (let i = piece.indexOf('\n'); i >= 0 && (at < 0 || i < at); i = piece.indexOf('\n', i + 1)) this.lines++
    if (at >= 0) this.firstLine = this.lines
  }
}

const failure = (file: string, found: string): Problem =>
  problem({
    code: 'parse-failed',
    where: file,
    found,
    expected: 'a text that can be read to its end',
    suggestion: 'Nothing of it was taken. Ingest the other files without it, or in smaller parts.',
  })

/** What is known of a text whose reader ended without a word. */
export const failedHead = (file: string, found: string): ParsedHead => ({ problems: [failure(file, found)], facts: 0, isFailed: true })
