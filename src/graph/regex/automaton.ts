import { type CharSet, has, intersect, representatives } from './charset.js'
import { type Regex, RegexRefusal } from './syntax.js'

/** How often each place is reached, where it is reached at all. */
type Counts = ReadonlyMap<number, number>

/**
 * A regular expression's places (one for each character that it reads) and in how many ways one follows another: Glushkov's automaton
 * (Russian Mathematical Surveys 16, 1961) with multiplicities, so that its runs over a text are those that a backtracking matcher can try.
 */
export interface Automaton {
  sets: CharSet[]
  /** from the place at the index to others */
  follow: Map<number, number>[]
  first: Counts
  last: Counts
  /** ways to match the empty text */
  empty: number
  /** places inside a repeated group */
  looped: Set<number>
}

const mostPlaces = 2_000
/** Of one count of ways. */
const mostSteps = 100_000

/** Work that may be put into the patterns of one query, in steps of which a thousand take about a millisecond: others wait for it. */
export class Budget {
  constructor(private left = 300_000) {}

  spend(steps: number): void {
    this.left -= steps
    if (this.left < 0) throw new RegexRefusal('patterns that are looked at in short time', tooLongHint)
  }
}

type Part = Pick<Automaton, 'first' | 'last' | 'empty'>

/** Throws a RegexRefusal where the pattern is too large to be looked at. */
export function buildAutomaton(regex: Regex, budget: Budget): Automaton {
  const builder = new Builder(budget)
  const part = builder.build(regex, false)
  return { ...part, sets: builder.sets, follow: builder.follow, looped: builder.looped }
}

class Builder {
  readonly sets: CharSet[] = []
  readonly follow: Map<number, number>[] = []
  readonly looped = new Set<number>()
  constructor(private readonly budget: Budget) {}

  build(regex: Regex, isLooped: boolean): Part {
    switch (regex.kind) {
      case 'chars':
        return this.run(regex.set, regex.least, regex.most, isLooped)
      case 'sequence':
        return regex.parts.map((part) => this.build(part, isLooped)).reduce((a, b) => this.join(a, b), { ...nothing, empty: 1 })
      case 'choice':
        return regex.options.map((option) => this.build(option, isLooped)).reduce(either, nothing)
      case 'optional': {
        const body = this.build(regex.body, isLooped)
        return { ...body, empty: body.empty + 1 }
      }
      case 'loop': {
        const body = this.build(regex.body, true)
        this.connect(body.last, body.first)
        return body
      }
    }
  }

  /** `[a-z]{2,4}`: two places and two more that may be left out; without an end, the last one follows itself. */
  private run(set: CharSet, least: number, most: number, isLooped: boolean): Part {
    const isEndless = most === Number.POSITIVE_INFINITY
    const required = isEndless ? Math.max(least, 1) : least
    let part: Part = { ...nothing, empty: 1 }
    for (let i = 0; i < required; i++) part = this.join(part, this.place(set, isLooped))
    if (isEndless) {
      this.connect(part.last, part.last)
      return least === 0 ? { ...part, empty: 1 } : part
    }
    let rest: Part = { ...nothing, empty: 1 }
    for (let i = least; i < most; i++) {
      const more = this.join(this.place(set, isLooped), rest)
      rest = { ...more, empty: 1 }
    }
    return this.join(part, rest)
  }

  private place(set: CharSet, isLooped: boolean): Part {
    const at = this.sets.push(set) - 1
    if (at >= mostPlaces) throw tooLong()
    if (isLooped) this.looped.add(at)
    this.follow.push(new Map())
    const here = new Map([[at, 1]])
    return { first: here, last: here, empty: 0 }
  }

  private join(a: Part, b: Part): Part {
    this.connect(a.last, b.first)
    return {
      first: a.empty === 0 ? a.first : sum(a.first, b.first, a.empty),
      last: b.empty === 0 ? b.last : sum(b.last, a.last, b.empty),
      empty: a.empty * b.empty,
    }
  }

  private connect(from: Counts, to: Counts): void {
    this.budget.spend(from.size * to.size)
    for (const [p, n] of from)
      for (const [q, m] of to) {
        const arrows = this.follow[p]!
        arrows.set(q, (arrows.get(q) ?? 0) + n * m)
      }
  }
}

const nothing: Part = { first: new Map(), last: new Map(), empty: 0 }
const either = (a: Part, b: Part): Part => ({ first: sum(a.first, b.first, 1), last: sum(a.last, b.last, 1), empty: a.empty + b.empty })

function sum(a: Counts, b: Counts, times: number): Counts {
  const total = new Map(a)
  for (const [place, n] of b) total.set(place, (total.get(place) ?? 0) + n * times)
  return total
}

const tooLongHint = 'Use CONTAINS, STARTS WITH, ENDS WITH or IN'
const tooLong = () => new RegexRefusal(`a pattern of at most ${mostPlaces} characters, counts written out`, tooLongHint)

export interface Ways {
  /** the most ways in which a beginning of some text can be matched so far: what a matcher has to try at one character */
  most: number
  /** of those, the most that are at their end */
  ended: number
  /** whether a match can be followed by a longer one of the same text */
  mayGoOn: boolean
}

/**
 * Counts the runs of the automaton over all texts, by following the vectors of counts that can come up (a subset construction with
 * multiplicities); null where there are more than `limit` at once, as there are without an end where two loops can read the same text
 * (Weideman et al., Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers, 2016: IDA and EDA).
 */
export function countWays(automaton: Automaton, limit: number, budget: Budget): Ways | null {
  const { sets, follow, first, last } = automaton
  const distinct = [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()]
  const codes = representatives(distinct)
  const accepts = new Map(distinct.map((set) => [JSON.stringify(set), codes.map((code) => has(set, code))]))
  const acceptsOf = sets.map((set) => accepts.get(JSON.stringify(set))!)
  const seen = new Set<string>()
  const ways: Ways = { most: 1, ended: automaton.empty, mayGoOn: automaton.empty > 0 && first.size > 0 }
  let steps = 0
  /** counts of runs that are about to read a character at a place */
  const waiting: Counts[] = [first]
  for (let offered = waiting.pop(); offered; offered = waiting.pop()) {
    const byCode = codes.map(() => [] as [number, number][])
    for (const [place, n] of offered) for (const [i, isRead] of acceptsOf[place]!.entries()) if (isRead) byCode[i]!.push([place, n])
    const before = steps
    steps += offered.size * codes.length
    for (const here of byCode) {
      const key = here.sort((a, b) => a[0] - b[0]).join(';')
      if (here.length === 0 || seen.has(key)) continue
      seen.add(key)
      const next = new Map<number, number>()
      for (const [place, n] of here)
        for (const [q, m] of follow[place]!) {
          next.set(q, (next.get(q) ?? 0) + n * m)
          steps++
        }
      const total = here.reduce((all, [, n]) => all + n, 0)
      const ended = here.reduce((all, [place, n]) => all + n * (last.get(place) ?? 0), 0)
      ways.most = Math.max(ways.most, total)
      ways.ended = Math.max(ways.ended, ended)
      if (ended > 0 && next.size > 0) ways.mayGoOn = true
      if (total > limit || ended > limit || steps > mostSteps) return null
      waiting.push(next)
    }
    budget.spend(steps - before)
  }
  return ways
}

/** Whether inside repeated groups each character alone decides where the pattern goes on: then there is never anything to try again. */
export function isDecidedInLoops({ looped, follow, sets }: Automaton, budget: Budget): boolean {
  for (const place of looped) {
    const next = [...follow[place]!]
    budget.spend(next.length ** 2 / 2)
    if (next.some(([, n]) => n > 1)) return false
    for (const [i, [a]] of next.entries()) for (const [b] of next.slice(i + 1)) if (intersect(sets[a]!, sets[b]!)) return false
  }
  return true
}
