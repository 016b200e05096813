import { type Problem, problem } from '../../util/problem.js'
import type { EntitySpan } from '../records/labeled-text.js'
import type { DatasetFormat, ReadItem, RowSource } from './format.js'
import { readLines } from './lines.js'
import { labeledRow } from './rows.js'
import { isSpan } from './spans.js'
import { decodeText, encodeText } from './text.js'

/** Words and single signs of a text with where they stand (UTF-16), cut also where one of `cuts` falls. */
export function tokensOf(text: string, cuts: ReadonlySet<number> = new Set()): { text: string; start: number }[] {
  const tokens: { text: string; start: number }[] = []
  for (const match of text.matchAll(/[\p{L}\p{M}\p{N}_]+|[^\s]/gu)) {
    let start = match.index
    const end = start + match[0].length
    for (let at = start + 1; at <= end; at++)
      if (at === end || cuts.has(at)) {
        tokens.push({ text: text.slice(start, at), start })
        start = at
      }
  }
  return tokens
}

/** Whether tags can say these spans: of this text, on whole tokens, one after the other, with names that fit into a column. */
function isTaggable(text: string, spans: readonly unknown[]): spans is EntitySpan[] {
  let last = 0
  for (const span of spans) {
    if (!isSpan(span)) return false
    const [words, label, start, end] = span
    if (start < last || end <= start || end > text.length || text.slice(start, end) !== words) return false
    if (/^\s|\s$/.test(words) || !/^[^\s]+$/.test(label) || splitsPair(text, start) || splitsPair(text, end)) return false
    last = end
  }
  return true
}

const splitsPair = (text: string, at: number): boolean =>
  at > 0 && at < text.length && /[\uD800-\uDBFF]/.test(text[at - 1]!) && /[\uDC00-\uDFFF]/.test(text[at]!)

async function* printed(rows: RowSource): AsyncGenerator<string> {
  for await (const row of rows()) {
    const { text, expected_entities: entities = [], ...rest } = labeledRow(row)
    const taggable = isTaggable(text, entities)
    const kept = taggable ? rest : { ...rest, expected_entities: entities }
    yield `# text = ${JSON.stringify(text)}\n`
    if (Object.keys(kept).length > 0) yield `# row = ${JSON.stringify(kept)}\n`
    const spans = taggable ? entities : []
    const cuts = new Set(spans.flatMap(([, , start, end]) => [start, end]))
    let at = 0
    for (const token of tokensOf(text, cuts)) {
      while (at < spans.length && spans[at]![3] <= token.start) at++
      const span = spans[at]
      const tag = !span || token.start < span[2] ? 'O' : `${token.start === span[2] ? 'B' : 'I'}-${span[1]}`
      yield `${token.text}\t${tag}\n`
    }
    yield '\n'
  }
}

/** One sentence as it is read: its comments, then its tokens with their tags. */
class Sentence {
  text: string | undefined
  row: Record<string, unknown> = {}
  tokens: { text: string; tag: string }[] = []
  line = 0
  problems: Problem[] = []
  begun = false

  item(file: string): ReadItem {
    const where = `${file}:${this.line}`
    if (this.problems.some((p) => p.severity === 'error')) return { where, problems: this.problems }
    const text = this.text ?? this.tokens.map((token) => token.text).join(' ')
    const entities = this.spans(text, where)
    return {
      where,
      value: { text, ...(entities.length > 0 || this.tokens.length > 0 ? { expected_entities: entities } : {}), ...this.row },
      problems: this.problems,
    }
  }

  /** The tokens are looked up in the text one after the other: there it says how far apart they are. */
  private spans(text: string, where: string): EntitySpan[] {
    const spans: { label: string; start: number; end: number }[] = []
    let at = 0
    let isInside = false
    for (const { text: word, tag } of this.tokens) {
      const start = text.indexOf(word, at)
      if (start < 0) {
        this.problems.push(
          problem({ code: 'token-not-in-text', where, found: word, expected: 'a token of the text that the sentence names, in its order' }),
        )
        return []
      }
      at = start + word.length
      const [, mark, label] = /^([BIOES])(?:-(.+))?$/.exec(tag) ?? []
      if (!mark || (mark === 'O') !== (label === undefined)) {
        this.problems.push(problem({ code: 'bad-tag', where, found: tag, expected: 'O, B-<label> or I-<label> in the last column' }))
        return []
      }
      const goesOn = isInside && (mark === 'I' || mark === 'E')
      isInside = mark === 'B' || mark === 'I'
      if (label === undefined) continue
      const open = spans.at(-1)
      // an I- that follows nothing of its label begins an entity, as in IOB1
      if (goesOn && open?.label === label) open.end = at
      else spans.push({ label, start, end: at })
    }
    return spans.map(({ label, start, end }) => [text.slice(start, end), label, start, end])
  }
}

/**
 * CoNLL columns with IOB2 tags (Tjong Kim Sang & De Meulder 2003): a token and its tag a line, an empty line after each sentence; columns
 * between are skipped, `-DOCSTART-` too. `# text = "…"` keeps the text to the letter and `# row = {…}` the other fields (and entities
 * that tags cannot say: overlapping, empty, off the text), so that nothing is lost between us; without them tokens are joined by spaces.
 */
export const conll: DatasetFormat = {
  name: 'conll',
  title: 'CoNLL / IOB2: a token and its tag a line',
  extensions: ['.conll', '.iob2', '.iob', '.bio'],
  mediaType: 'text/plain',
  kinds: ['labeled-text'],
  loses: null,
  convertsSpans: true,
  async *read(source, { file }) {
    let sentence = new Sentence()
    for await (const { number, text } of readLines(decodeText(source, file))) {
      if (text.trim() === '') {
        if (sentence.begun) yield sentence.item(file)
        sentence = new Sentence()
        continue
      }
      if (text.startsWith('-DOCSTART-')) continue
      if (!sentence.begun) [sentence.begun, sentence.line] = [true, number]
      readLine(sentence, text, `${file}:${number}`)
    }
    if (sentence.begun) yield sentence.item(file)
  },
  write: (rows) => encodeText(printed(rows)),
}

function readLine(sentence: Sentence, line: string, where: string): void {
  const comment = /^# ?(text|row) = (.*)$/s.exec(line)
  if (comment && sentence.tokens.length === 0) {
    const [, name, json] = comment as unknown as [string, 'text' | 'row', string]
    const value = parsed(json)
    if (name === 'text') sentence.text = typeof value === 'string' ? value : json
    else if (value !== null && typeof value === 'object') sentence.row = value as Record<string, unknown>
    else sentence.problems.push(problem({ code: 'not-json', where, found: json, expected: 'a JSON object with the fields of the row' }))
    return
  }
  // a comment has no columns; a token "#" has a tag
  if (/^#\s/.test(line) && sentence.tokens.length === 0 && !/\s(?:O|[BIES]-\S+)$/.test(line)) return
  const columns = line.split(/\s+/)
  if (columns.length < 2)
    sentence.problems.push(problem({ code: 'no-tag', where, found: line, expected: 'a token and its tag, divided by a tab or blanks' }))
  else sentence.tokens.push({ text: columns[0]!, tag: columns.at(-1)! })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
