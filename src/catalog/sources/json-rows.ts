import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'

/**
 * The rows of a JSON text that comes in pieces, in flat memory: elements of an array, of the one array in an object, JSON Lines, or one
 * object. Element boundaries are found by counting brackets outside strings; each element is then parsed for itself, so that a broken
 * one is one problem and the others are read.
 */
export class RowReader {
  readonly problems: Problem[] = []
  rowCount = 0
  private mode: 'start' | 'array' | 'object' | 'lines' | 'objects' | 'envelope' | 'done' = 'start'
  /** of the element that is being read */
  private parts: string[] = []
  private held = 0
  private scanner = new ValueScanner()
  private isInside = false
  private first: { value: Record<string, unknown>; line: number } | null = null
  private envelope: Envelope | null = null
  private line = 1
  private elementLine = 1
  private suppressed = 0

  /** `isLines`: the file's name says that it holds one value a line. */
  constructor(
    private readonly file: string,
    private readonly onRow: (row: Record<string, unknown>) => void,
    private readonly isLines = false,
  ) {}

  write(piece: string): void {
    let at = 0
    while (at < piece.length) {
      const next = this.step(piece, at)
      for (let i = piece.indexOf('\n', at); i >= 0 && i < next; i = piece.indexOf('\n', i + 1)) this.line++
      at = next
    }
  }

  /** To be called once, after the last piece. */
  end(): void {
    if (this.mode === 'lines' && this.held > 0) this.finishLine()
    else if (this.isInside || this.mode === 'array' || this.mode === 'envelope') this.cutOff()
    if (this.first && !this.isInside) this.rowsOfOne(this.first.value)
    if (this.mode === 'start')
      this.report(1, { code: 'json-empty', found: 'nothing', expected: 'an array of objects, an object, or JSON Lines' })
    if (this.suppressed > 0) {
      const found = `${this.suppressed} more problems of this kind`
      this.problems.push(problem({ severity: 'info', code: 'json-more', where: `${this.file}:${this.line}`, found, expected: 'objects' }))
    }
  }

  /** Consumes some of the piece from `at` on; answers where it stopped. */
  private step(piece: string, at: number): number {
    switch (this.mode) {
      case 'start':
        return this.start(piece, at)
      case 'lines':
        return this.lineStep(piece, at)
      case 'array':
      case 'objects':
      case 'object':
        return this.elementStep(piece, at)
      case 'envelope':
        return this.envelopeStep(piece, at)
      case 'done':
        return this.afterEnd(piece, at)
    }
  }

  private start(piece: string, at: number): number {
    const c = piece[at]!
    if (isSpace(c) || c === '\uFEFF') return at + 1
    if (c === '[') {
      this.mode = 'array'
      return at + 1
    }
    this.mode = c === '{' && !this.isLines ? 'object' : 'lines'
    return at
  }

  private elementStep(piece: string, at: number): number {
    if (!this.isInside) {
      const c = piece[at]!
      if (isSpace(c) || c === ',') return at + 1
      if (c === ']' && this.mode === 'array') {
        this.mode = this.envelope ? 'envelope' : 'done'
        return at + 1
      }
      this.isInside = true
      this.elementLine = this.line
      this.scanner = new ValueScanner()
    }
    const end = this.scanner.scan(piece, at)
    const stop = end < 0 ? piece.length : end
    this.hold(piece.slice(at, stop))
    if (end >= 0) this.finishElement()
    else if (this.mode === 'object' && this.held > oneObjectLimit) this.becomeEnvelope()
    return Math.max(stop, end)
  }

  private hold(text: string): void {
    this.parts.push(text)
    this.held += text.length
  }

  private take(): string {
    const text = this.parts.length === 1 ? this.parts[0]! : this.parts.join('')
    this.parts = []
    this.held = 0
    this.isInside = false
    return text
  }

  private finishElement(): void {
    const text = this.take()
    const value = this.parse(text, this.elementLine)
    if (this.mode !== 'object') {
      if (value) this.emit(value)
      return
    }
    // what follows decides whether this object is the whole text or the first line
    this.mode = text.includes('\n') ? 'objects' : 'lines'
    if (value) this.first = { value, line: this.elementLine }
  }

  private lineStep(piece: string, at: number): number {
    const newline = piece.indexOf('\n', at)
    if (newline < 0) {
      this.hold(piece.slice(at))
      return piece.length
    }
    this.hold(piece.slice(at, newline))
    this.finishLine()
    return newline + 1
  }

  private finishLine(): void {
    const text = this.take()
      .trim()
      .replace(/^\uFEFF/, '')
    if (text === '' || text === ',') return
    const value = this.parse(text, this.line)
    if (value) this.emit(value)
  }

  private emit(row: Record<string, unknown>): void {
    if (this.first) {
      const { value } = this.first
      this.first = null
      this.emit(value)
    }
    this.rowCount++
    this.onRow(row)
  }

  /** The only object of the text: an envelope around one array of objects, or a row of its own. */
  private rowsOfOne(value: Record<string, unknown>): void {
    this.first = null
    const arrays = Object.values(value).filter((v): v is unknown[] => Array.isArray(v) && v.some(isRow))
    if (arrays.length !== 1) {
      this.emit(value)
      return
    }
    for (const element of arrays[0]!) {
      if (isRow(element)) this.emit(element)
      else this.notARow(element, this.elementLine)
    }
  }

  /** An object too long to be one row: read again from its beginning, looking for its array. */
  private becomeEnvelope(): void {
    const last = this.parts.at(-1)!
    const text = this.take()
    this.envelope = new Envelope()
    this.mode = 'envelope'
    this.line = this.elementLine
    this.write(text.slice(1))
    // the caller counts the lines of the piece that it is at
    this.line -= last.split('\n').length - 1
  }

  private envelopeStep(piece: string, at: number): number {
    const { next, found } = this.envelope!.scan(piece, at)
    if (found === 'array') {
      if (this.rowCount > 0)
        this.report(this.line, {
          severity: 'warning',
          code: 'json-arrays',
          found: 'a second array of this object',
          expected: 'one array of rows',
          suggestion: 'Its rows were read into the same table; put each array into a file of its own.',
        })
      this.mode = 'array'
    } else if (found === 'end') this.mode = 'done'
    return next
  }

  private afterEnd(piece: string, at: number): number {
    const c = piece[at]!
    if (isSpace(c)) return at + 1
    this.report(this.line, {
      severity: 'warning',
      code: 'json-rest',
      found: `text after the end: ${piece.slice(at, at + 40)}`,
      expected: 'nothing',
    })
    return piece.length
  }

  private parse(text: string, line: number): Record<string, unknown> | null {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (thrown) {
      this.report(line, {
        code: 'json-syntax',
        found: `${messageOf(thrown)}, in: ${text.slice(0, 60)}`,
        expected: 'JSON (this element was passed over)',
        suggestion: 'Quote keys and strings with double quotes, and leave no comma at an end.',
      })
      return null
    }
    if (isRow(value)) return value
    this.notARow(value, line)
    return null
  }

  private notARow(value: unknown, line: number): void {
    this.report(line, {
      severity: 'warning',
      code: 'json-row',
      found: JSON.stringify(value)?.slice(0, 60) ?? 'nothing',
      expected: 'an object (this element was passed over)',
    })
  }

  private cutOff(): void {
    const text = this.isInside ? this.take() : ''
    this.report(this.isInside || text !== '' ? this.elementLine : this.line, {
      code: 'json-cut-off',
      found: `the end of the text inside ${text === '' ? 'an array' : `an element that begins ${text.slice(0, 40)}`}, after ${this.rowCount} rows`,
      expected: 'its closing bracket',
      suggestion: 'The rows before it were read.',
    })
  }

  private report(line: number, found: Omit<Problem, 'severity' | 'where'> & { severity?: Problem['severity'] }): void {
    if (this.problems.length >= maxProblems) this.suppressed++
    else this.problems.push(problem({ ...found, where: `${this.file}:${line}` }))
  }
}

/** Over this many characters, a single object is not kept to be parsed in one piece. */
const oneObjectLimit = 8_000_000
const maxProblems = 50

const isSpace = (c: string): boolean => c === ' ' || c === '\n' || c === '\r' || c === '\t'
const isRow = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma] = [...'"\\{}[],'].map((c) => c.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

/** Finds the end of one JSON value that may go on over several pieces. */
class ValueScanner {
  private depth = 0
  private inString = false
  private isEscaped = false
  private isScalar: boolean | null = null

  /** The place after the value's last character, or -1 where it goes on after this piece. */
  scan(text: string, from: number): number {
    for (let i = from; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (this.inString) {
        if (this.isEscaped) this.isEscaped = false
        else if (c === backslash) this.isEscaped = true
        else if (c === quote) {
          this.inString = false
          if (this.depth === 0) return i + 1
        }
        continue
      }
      if (this.isScalar && (c === comma || c === closeBracket || c === closeBrace || c <= 32)) return i
      this.isScalar ??= c !== quote && c !== openBrace && c !== openBracket
      if (c === quote) this.inString = true
      else if (c === openBrace || c === openBracket) this.depth++
      else if ((c === closeBrace || c === closeBracket) && --this.depth === 0) return i + 1
    }
    return -1
  }
}

/** Goes through the members of one big object: stops where an array begins, and after the last member. */
class Envelope {
  private at: 'key' | 'value' = 'key'
  private scanner: ValueScanner | null = null

  scan(text: string, from: number): { next: number; found: 'array' | 'end' | null } {
    for (let i = from; i < text.length; i++) {
      if (this.scanner) {
        const end = this.scanner.scan(text, i)
        if (end < 0) return { next: text.length, found: null }
        this.scanner = null
        i = end
        if (i >= text.length) return { next: i, found: null }
      }
      const c = text[i]!
      if (isSpace(c)) continue
      if (c === '}') return { next: i + 1, found: 'end' }
      if (c === ':') this.at = 'value'
      else if (c === ',') this.at = 'key'
      else if (c === '[' && this.at === 'value') return { next: i + 1, found: 'array' }
      else {
        this.scanner = new ValueScanner()
        i--
      }
    }
    return { next: text.length, found: null }
  }
}
