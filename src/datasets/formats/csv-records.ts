/** A cell of a CSV file. `""` is an empty text, nothing between two commas is no value. */
export interface Cell {
  text: string
  quoted: boolean
}

export interface CsvRecord {
  /** where it begins, from 1 */
  line: number
  cells: Cell[]
  /** a quote stands where none may */
  broken?: string
}

/**
 * The records of a CSV text (RFC 4180: quotes doubled, line breaks inside quotes kept) that comes in pieces of any size; the line ends
 * CRLF, LF and CR are taken, empty lines left out.
 */
export async function* readCsv(texts: AsyncIterable<string>, delimiter = ','): AsyncGenerator<CsvRecord> {
  const state = new CsvState(delimiter)
  for await (const text of texts) {
    for (let at = 0; at < text.length; at = state.take(text, at)) {
      const record = state.ready()
      if (record) yield record
    }
    const record = state.ready()
    if (record) yield record
  }
  const last = state.finish()
  if (last) yield last
}

/** Where the reader stands in a cell. */
type Place = 'start' | 'plain' | 'quoted' | 'after-quote'

class CsvState {
  private place: Place = 'start'
  private pieces: string[] = []
  private cells: Cell[] = []
  private line = 1
  private startLine = 1
  private wasReturn = false
  private isFirst = true
  private brokenBy: string | undefined
  private done: CsvRecord | null = null

  constructor(private readonly delimiter: string) {}

  ready(): CsvRecord | null {
    const { done } = this
    this.done = null
    return done
  }

  /** Takes what it can from `at` on, at most to the end of one record; answers where to go on. */
  take(text: string, at: number): number {
    if (this.isFirst) {
      this.isFirst = false
      if (text.charCodeAt(at) === 0xfeff) return at + 1
    }
    const char = text[at]!
    if (this.wasReturn) {
      this.wasReturn = false
      if (char === '\n') return at + 1
    }
    if (this.place === 'quoted') return this.takeQuoted(text, at)
    if (char === '"' && this.place === 'after-quote') {
      this.pieces.push('"')
      this.place = 'quoted'
      return at + 1
    }
    if (char === '"' && this.place === 'start') {
      this.place = 'quoted'
      return at + 1
    }
    if (char === this.delimiter) {
      this.endCell()
      return at + 1
    }
    if (char === '\n' || char === '\r') {
      this.wasReturn = char === '\r'
      this.endRecord()
      this.line++
      this.startLine = this.line
      return at + 1
    }
    if (this.place === 'after-quote') this.brokenBy ??= `${char} after a closing quote`
    return this.takePlain(text, at)
  }

  /** `"` ends it unless another follows. */
  private takeQuoted(text: string, at: number): number {
    const end = text.indexOf('"', at)
    const piece = text.slice(at, end < 0 ? undefined : end)
    this.pieces.push(piece)
    for (let n = piece.indexOf('\n'); n >= 0; n = piece.indexOf('\n', n + 1)) this.line++
    if (end < 0) return text.length
    this.place = 'after-quote'
    return end + 1
  }

  private takePlain(text: string, at: number): number {
    let end = at
    while (end < text.length && text[end] !== this.delimiter && text[end] !== '\n' && text[end] !== '\r') end++
    this.pieces.push(text.slice(at, end))
    if (this.place === 'start') this.place = 'plain'
    return end
  }

  private endCell(): void {
    this.cells.push({ text: this.pieces.join(''), quoted: this.place === 'after-quote' || this.place === 'quoted' })
    this.pieces = []
    this.place = 'start'
  }

  private endRecord(): void {
    if (this.cells.length === 0 && this.place === 'start') return
    this.endCell()
    this.done = { line: this.startLine, cells: this.cells, ...(this.brokenBy ? { broken: this.brokenBy } : {}) }
    this.cells = []
    this.brokenBy = undefined
  }

  finish(): CsvRecord | null {
    if (this.place === 'quoted') this.brokenBy ??= 'the end of the file inside quotes'
    this.endRecord()
    return this.ready()
  }
}

/** What a spreadsheet would take for a formula when a cell begins with it (OWASP, CSV injection), full-width forms included. */
const formula = /^'*[=+\-@\t\r\n＝＋－＠]/

/** A text that no spreadsheet runs: a quote goes before whatever looks like a formula, and before quotes that would look like ours. */
export const guardFormula = (text: string): string => (formula.test(text) ? `'${text}` : text)

/** Undoes `guardFormula`: together they change no text. */
export const unguardFormula = (text: string): string => (text.startsWith("'") && formula.test(text) ? text.slice(1) : text)

/** A cell as it is written: quoted where RFC 4180 asks for it, and where it is an empty text (no value is nothing). */
export const printCell = (text: string): string => (text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
