/**
 * A matcher that goes back and forth as Java's does, for what print.ts writes: it counts the characters that it reads. Recursive, so for
 * texts of some hundred characters.
 */
type Then = (at: number) => boolean
type Matcher = (at: number, then: Then) => boolean

export function matchByBacktracking(pattern: string, text: string, most: number): { matches: boolean; reads: number } {
  const codes = [...text].map((character) => character.codePointAt(0)!)
  let reads = 0
  const char =
    (has: (code: number) => boolean): Matcher =>
    (at, then) => {
      if (at >= codes.length || !has(codes[at]!)) return false
      if (++reads > most) throw new Error(`${JSON.stringify(pattern)} reads ${JSON.stringify(text)} more than ${most} times`)
      return then(at + 1)
    }
  const matcher = new Reader(pattern, char).read()
  return { matches: matcher(0, (at) => at === codes.length), reads }
}

class Reader {
  private at = 0
  constructor(
    private readonly text: string,
    private readonly char: (has: (code: number) => boolean) => Matcher,
  ) {}

  read(): Matcher {
    const matcher = this.choice()
    if (this.at < this.text.length) throw new Error(`unread: ${this.text.slice(this.at)}`)
    return matcher
  }

  private take(text: string): boolean {
    const is = this.text.startsWith(text, this.at)
    if (is) this.at += text.length
    return is
  }

  private choice(): Matcher {
    const options = [this.sequence()]
    while (this.take('|')) options.push(this.sequence())
    return (at, then) => options.some((option) => option(at, then))
  }

  private sequence(): Matcher {
    const parts: Matcher[] = []
    while (this.at < this.text.length && !'|)'.includes(this.text[this.at]!)) parts.push(this.repeated())
    return parts.reduceRight<Matcher>(
      (rest, part) => (at, then) => part(at, (next) => rest(next, then)),
      (at, then) => then(at),
    )
  }

  private repeated(): Matcher {
    const body = this.atom()
    const [whole, sign, least, comma, most] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(this.text.slice(this.at)) ?? []
    if (whole === undefined) return body
    this.at += whole.length
    const from = sign ? (sign === '+' ? 1 : 0) : Number(least)
    const to = sign ? (sign === '?' ? 1 : Infinity) : comma ? (most ? Number(most) : Infinity) : from
    if (this.take('+')) return possessive(body, from, to)
    return this.take('?') ? lazy(body, from, to) : greedy(body, from, to)
  }

  private atom(): Matcher {
    if (this.take('(?:')) return this.closed(this.choice())
    if (this.take('(?>')) return atomic(this.closed(this.choice()))
    if (this.take('[')) {
      const isNegated = this.take('^')
      const ranges: [number, number][] = []
      while (!this.take(']')) {
        const from = this.code()
        ranges.push([from, this.take('-') ? this.code() : from])
      }
      return this.char((code) => isNegated !== ranges.some(([from, to]) => code >= from && code <= to))
    }
    const code = this.code()
    return this.char((other) => other === code)
  }

  private closed(matcher: Matcher): Matcher {
    if (!this.take(')')) throw new Error('a group that is not closed')
    return matcher
  }

  private code(): number {
    const [whole, hexadecimal, plain] = /^(?:\\x\{([0-9a-f]+)\}|([A-Za-z0-9_ ]))/.exec(this.text.slice(this.at)) ?? []
    if (whole === undefined) throw new Error(`no character: ${this.text.slice(this.at)}`)
    this.at += whole.length
    return hexadecimal ? Number.parseInt(hexadecimal, 16) : plain!.codePointAt(0)!
  }
}

/** Where the first match from `at` ends; null where there is none. */
function firstEnd(body: Matcher, at: number): number | null {
  let end: number | null = null
  body(at, (next) => {
    end = next
    return true
  })
  return end
}

const greedy = (body: Matcher, from: number, to: number): Matcher => {
  const rest = (done: number, at: number, then: Then): boolean =>
    (done < to && body(at, (next) => next > at && rest(done + 1, next, then))) || (done >= from && then(at))
  return (at, then) => rest(0, at, then)
}
const lazy = (body: Matcher, from: number, to: number): Matcher => {
  const rest = (done: number, at: number, then: Then): boolean =>
    (done >= from && then(at)) || (done < to && body(at, (next) => next > at && rest(done + 1, next, then)))
  return (at, then) => rest(0, at, then)
}
/** Each round takes its first match and never gives it back. */
const possessive =
  (body: Matcher, from: number, to: number): Matcher =>
  (start, then) => {
    let at = start
    let done = 0
    for (; done < to; done++) {
      const end = firstEnd(body, at)
      if (end === null || end === at) break
      at = end
    }
    return done >= from && then(at)
  }
const atomic =
  (body: Matcher): Matcher =>
  (at, then) => {
    const end = firstEnd(body, at)
    return end !== null && then(end)
  }
