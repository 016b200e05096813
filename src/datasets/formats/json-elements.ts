/** What a text of JSON has at its top, piece by piece. */
export type JsonPart =
  /** an element of the list of examples; `line` is where it begins, `index` counts from 0 */
  | { type: 'element'; text: string; line: number; index: number }
  /** another member of the object around that list */
  | { type: 'member'; name: string; text: string; line: number }
  /** the text is not what it should be; nothing follows */
  | { type: 'broken'; line: number; found: string; expected: string }

const [quote, backslash, newline] = [34, 92, 10]
const opening = new Set(['{', '['].map((c) => c.charCodeAt(0)))
const closing = new Set(['}', ']'].map((c) => c.charCodeAt(0)))
const code = (char: string) => char.charCodeAt(0)
const isBlank = (c: number) => c === 32 || c === 10 || c === 13 || c === 9 || c === 0xfeff

type Mode = 'start' | 'elements' | 'name' | 'value' | 'end' | 'broken'

/**
 * Cuts a JSON text into the elements of its list, without holding more than one of them: `[…]`, or the list under one of `listNames`
 * in an object. What lies between the cuts is for JSON.parse; here only strings and depth are followed.
 */
export class JsonElements {
  private mode: Mode = 'start'
  private pieces: string[] = []
  private depth = 0
  private inString = false
  private escaped = false
  private line = 1
  private startLine = 1
  /** something besides blanks has come since the last cut */
  private begun = false
  private wasCut = false
  private index = 0
  private name = ''
  private inObject = false
  private seenList = false

  constructor(private readonly listNames: readonly string[]) {}

  *feed(chunk: string): Generator<JsonPart> {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const c = chunk.charCodeAt(at)
      if (c === newline) this.line++
      if (this.inString) {
        if (this.escaped) this.escaped = false
        else if (c === backslash) this.escaped = true
        else if (c === quote) this.inString = false
        continue
      }
      if (isBlank(c)) continue
      if (this.mode === 'end') return yield this.broken(chunk.slice(at, at + 20), 'the end of the text')
      if (this.mode === 'start') {
        if (c !== code('[') && c !== code('{')) return yield this.broken(chunk.slice(at, at + 20), 'a list, or an object with `examples`')
        this.enter(c === code('['))
        from = at + 1
        continue
      }
      if (this.depth === 0 && this.mode === 'value' && !this.begun && c === code('[') && this.listNames.includes(this.name)) {
        this.enter(true)
        from = at + 1
        continue
      }
      if (this.depth === 0 && this.isCut(c)) {
        this.pieces.push(chunk.slice(from, at))
        yield* this.cut(c)
        if (this.isBroken()) return
        from = at + 1
        continue
      }
      if (!this.begun) {
        this.begun = true
        this.startLine = this.line
      }
      if (c === quote) this.inString = true
      else if (opening.has(c)) this.depth++
      else if (closing.has(c)) this.depth--
    }
    if (from < chunk.length && this.mode !== 'end') this.pieces.push(chunk.slice(from))
  }

  /** Call once, after the last piece. */
  *finish(): Generator<JsonPart> {
    if (this.mode === 'start') yield this.broken('', 'a list, or an object with `examples`')
    else if (this.mode !== 'end')
      yield this.broken('the end of the text', this.inString ? 'the end of a string' : 'more: the text is cut short')
    else if (!this.seenList) yield this.broken('no list of examples', `an object with ${this.listNames.join(' or ')}`)
  }

  private isCut(c: number): boolean {
    if (c === code(',') || closing.has(c)) return true
    return this.mode === 'name' && c === code(':')
  }

  private isBroken(): boolean {
    return this.mode === 'broken'
  }

  private enter(list: boolean): void {
    if (!list) this.inObject = true
    else this.seenList = true
    this.mode = list ? 'elements' : 'name'
    this.reset()
    this.wasCut = false
  }

  private reset(): void {
    this.pieces = []
    this.begun = false
  }

  private *cut(c: number): Generator<JsonPart> {
    const text = this.pieces.join('').trim()
    const begun = this.begun
    this.reset()
    const isEnd = closing.has(c)
    if (this.mode === 'elements') {
      if (begun) yield { type: 'element', text, line: this.startLine, index: this.index++ }
      else if (!isEnd || this.wasCut) return yield this.broken(String.fromCharCode(c), 'an element')
      if (c === code('}')) return yield this.broken('}', 'a "]"')
      if (isEnd) this.mode = this.inObject ? 'value' : 'end'
      this.wasCut = !isEnd
      // after the list the rest of its member is empty
      if (isEnd && this.inObject) this.name = ''
      return
    }
    if (c === code(']')) return yield this.broken(']', 'a "}"')
    if (this.mode === 'name') {
      if (c === code(':')) {
        this.mode = 'value'
        try {
          this.name = String(JSON.parse(text))
        } catch {
          yield this.broken(text, 'a name in quotes')
        }
        return
      }
      if (!begun && isEnd) this.mode = 'end'
      else yield this.broken(text || String.fromCharCode(c), 'a name and its value')
      return
    }
    if (begun) yield { type: 'member', name: this.name, text, line: this.startLine }
    this.mode = isEnd ? 'end' : 'name'
  }

  private broken(found: string, expected: string): JsonPart {
    this.mode = 'broken'
    return { type: 'broken', line: this.line, found, expected }
  }
}

/** The parts of a JSON text that comes in pieces. Ends after the first thing that is broken. */
export async function* readJsonParts(texts: AsyncIterable<string>, listNames: readonly string[]): AsyncGenerator<JsonPart> {
  const elements = new JsonElements(listNames)
  for await (const text of texts)
    for (const part of elements.feed(text)) {
      yield part
      if (part.type === 'broken') return
    }
  yield* elements.finish()
}
