import { type CharSet, charsOf, ignoreCase, negate, none, single, union } from './charset.js'
import { chars, empty, mayBeEmpty, type Regex, RegexRefusal, sequence } from './syntax.js'

/** Characters of a pattern, at most. */
const longest = 2_000
/** Groups in one another, at most. */
const deepest = 20
/** What a count like `{2,5}` may say. */
const mostTimes = 1_000

const lineEnds = charsOf([10, 10], [13, 13], [0x85, 0x85], [0x2028, 0x2029])
const digits = charsOf([48, 57])
const wordChars = charsOf([48, 57], [65, 90], [95, 95], [97, 122])
const blanks = charsOf([9, 13], [32, 32])
/** Classes by their escapes, as Java has them: of ASCII. */
const classes: Record<string, CharSet> = {
  d: digits,
  w: wordChars,
  s: blanks,
  D: negate(digits),
  W: negate(wordChars),
  S: negate(blanks),
}
const controls: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/**
 * The part of Java's regular expressions that is read: characters, `.`, classes, groups, `|`, `? * + {n,m}` (lazy ones too), `(?i)` and
 * `(?s)` at the beginning, `^` and `$` at the ends. Throws a RegexRefusal for everything else.
 */
export function parseRegex(pattern: string): Regex {
  if (pattern.length > longest) throw new RegexRefusal(`at most ${longest} characters`, 'Use IN [...] for a list of names')
  return new Reader(pattern).read()
}

class Reader {
  private readonly text: readonly string[]
  private at = 0
  private depth = 0
  private ignoresCase = false
  private dot: CharSet = negate(lineEnds)

  constructor(pattern: string) {
    this.text = [...pattern]
  }

  read(): Regex {
    this.readFlags()
    const regex = this.readChoice()
    if (this.at < this.text.length) this.refuse('a group that is opened', 'Escape the bracket: \\)')
    return regex
  }

  private refuse(expected: string, suggestion: string): never {
    throw new RegexRefusal(`${expected} (character ${this.at + 1} of the pattern)`, suggestion)
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }

  private readFlags(): void {
    const [, flags] = /^\(\?([a-zA-Z-]+)\)/.exec(this.text.slice(0, 20).join('')) ?? []
    if (flags === undefined) return
    for (const flag of flags) {
      if (flag === 'i') this.ignoresCase = true
      else if (flag === 's') this.dot = negate(none)
      else this.refuse('no flags but (?i), (?s) and (?is)', 'Write letters beyond a to z in both cases: [öÖ]')
    }
    this.at = flags.length + 3
  }

  private readChoice(): Regex {
    const options = [this.readSequence()]
    while (this.take('|')) options.push(this.readSequence())
    if (options.length === 1) return options[0]!
    if (options.filter(mayBeEmpty).length > 1)
      this.refuse('at most one alternative that can be empty', 'Put what may be missing behind the group: (a|b)?')
    return { kind: 'choice', options }
  }

  private readSequence(): Regex {
    const parts: Regex[] = []
    // The whole text is matched anyhow: at the ends of the pattern these say nothing.
    if (this.depth === 0) this.take('^')
    while (this.at < this.text.length && !['|', ')'].includes(this.text[this.at]!)) {
      if (this.depth === 0 && this.text[this.at] === '$' && [undefined, '|'].includes(this.text[this.at + 1])) this.at++
      else parts.push(this.readRepeated())
    }
    return sequence(parts)
  }

  private readRepeated(): Regex {
    const body = this.readAtom()
    const times = this.readTimes()
    if (!times) return body
    if (!this.take('?') && this.text[this.at] === '+') this.refuse('no possessive quantifier', 'Leave the second + out')
    if (['*', '+', '?', '{'].includes(this.text[this.at] ?? '')) this.refuse('one quantifier', 'Leave the second one out')
    return this.repeat(body, ...times)
  }

  private readTimes(): [least: number, most: number] | null {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.take('?')) return [0, 1]
    if (this.text[this.at] !== '{') return null
    const [whole, least, comma, most] = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.text.slice(this.at, this.at + 12).join('')) ?? []
    if (whole === undefined) this.refuse('a count like {2}, {2,} or {2,5}', 'Escape the brace: \\{')
    const times: [number, number] = [Number(least), comma ? (most ? Number(most) : Number.POSITIVE_INFINITY) : Number(least)]
    if (times[0] > times[1] || times[0] > mostTimes || (times[1] > mostTimes && times[1] !== Number.POSITIVE_INFINITY))
      this.refuse(`a count from small to large, of at most ${mostTimes}`, 'Write {2,5}')
    this.at += whole!.length
    return times
  }

  /** A group with a count is written out: `(ab){2,3}` is `abab(ab)?`. */
  private repeat(body: Regex, least: number, most: number): Regex {
    if (body.kind === 'chars' && body.least === 1 && body.most === 1) return chars(body.set, least, most)
    if (most === 0) return empty
    if (least === 1 && most === 1) return body
    if (mayBeEmpty(body)) {
      if (most === 1) return body
      this.refuse('a repeated group that cannot be empty', 'Use + rather than * inside the group')
    }
    if (most > 100 && most !== Number.POSITIVE_INFINITY) this.refuse('a group repeated at most 100 times', 'Use + or *')
    const copies = Array.from({ length: least }, () => body)
    if (most !== Number.POSITIVE_INFINITY) return sequence([...copies, optionals(body, most - least)])
    const loop: Regex = { kind: 'loop', body }
    return least === 0 ? { kind: 'optional', body: loop } : sequence([...copies.slice(1), loop])
  }

  private readAtom(): Regex {
    const character = this.text[this.at]!
    if ('*+?{'.includes(character)) this.refuse('something to repeat', `Escape it: \\${character}`)
    if (character === '^' || character === '$')
      this.refuse(`${character} at the ${character === '^' ? 'beginning' : 'end'} only`, `Escape it: \\${character}`)
    this.at++
    if (character === '(') return this.readGroup()
    if (character === '[') return chars(this.folded(this.readClass()))
    if (character === '.') return chars(this.dot)
    if (character === '\\') return chars(this.folded(this.readEscape()))
    return chars(this.folded(single(character)))
  }

  private folded(set: CharSet): CharSet {
    return this.ignoresCase ? ignoreCase(set) : set
  }

  private readGroup(): Regex {
    if (this.take('?') && !this.take(':'))
      this.refuse('a plain group: (…) or (?:…)', 'Look-around, names and flags inside a pattern are not read: use AND, OR and NOT')
    if (++this.depth > deepest) this.refuse(`at most ${deepest} groups in one another`, 'Write it with fewer')
    const body = this.readChoice()
    this.depth--
    if (!this.take(')')) this.refuse('a group that is closed', 'Close it with ), or escape the bracket: \\(')
    return body
  }

  private readEscape(): CharSet {
    const character = this.text[this.at++]
    if (character === undefined) this.refuse('a character after the backslash', 'Escape the backslash: \\\\')
    const set = classes[character]
    if (set) return set
    if (character === 'x') return this.readCode()
    const control = controls[character]
    if (control !== undefined) return single(control)
    if (/[a-zA-Z0-9]/.test(character))
      this.refuse(
        `one of the escapes \\d \\w \\s \\D \\W \\S \\t \\n \\r \\f \\x{…}, not \\${character}`,
        /\d/.test(character) ? 'References back to a group are not read' : 'Use a class of characters, like [a-z_]',
      )
    return single(character)
  }

  /** `\x41`, `\x{1F600}`. */
  private readCode(): CharSet {
    const [whole, short, long] = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(this.text.slice(this.at, this.at + 8).join('')) ?? []
    const code = Number.parseInt(short ?? long ?? '', 16)
    if (whole === undefined || code > 0x10ffff) this.refuse('a code point like \\x{e9} after \\x', 'Write the character itself')
    this.at += whole!.length
    return charsOf([code, code])
  }

  private readClass(): CharSet {
    const isNegated = this.take('^')
    const sets: CharSet[] = []
    while (!this.take(']')) {
      if (this.at >= this.text.length) this.refuse('a class that is closed', 'Close it with ], or escape the bracket: \\[')
      sets.push(this.readClassPart(sets.length === 0))
    }
    if (sets.length === 0) this.refuse('something in the class', 'Escape the bracket: \\[')
    // Java ignores case before it negates.
    const set = this.folded(union(...sets))
    return isNegated ? negate(set) : set
  }

  private readClassPart(isFirst: boolean): CharSet {
    const from = this.readClassEnd()
    const isRange = this.text[this.at] === '-' && this.text[this.at + 1] !== ']' && this.at + 1 < this.text.length
    if (!isRange || from.length !== 1 || from[0]![0] !== from[0]![1]) {
      if (isRange && !isFirst) this.refuse('a hyphen at the end of a class, or between two characters', 'Escape it: \\-')
      return from
    }
    this.at++
    const to = this.readClassEnd()
    if (to.length !== 1 || to[0]![0] !== to[0]![1] || to[0]![0] < from[0]![0])
      this.refuse('a range from small to large', 'Escape the hyphen: \\-')
    return charsOf([from[0]![0], to[0]![0]])
  }

  private readClassEnd(): CharSet {
    const character = this.text[this.at++]!
    if (character === '\\') return this.readEscape()
    // Java reads classes inside classes, and && between them.
    if (character === '[' || character === '&' || character === '^')
      this.refuse(`no plain ${character} in a class`, `Escape it: \\${character}`)
    return single(character)
  }
}

function optionals(body: Regex, times: number): Regex {
  let rest: Regex = empty
  for (let i = 0; i < times; i++) rest = { kind: 'optional', body: sequence([body, rest]) }
  return rest
}
