import { type Budget, buildAutomaton, countWays, isDecidedInLoops, type Ways } from './automaton.js'
import { type CharSet, isSubset, union } from './charset.js'
import { endEarliest, lengthsOf } from './earliest.js'
import { printGrouped, printRegex } from './print.js'
import { type Chars, chars, hasLoop, isUnbounded, type Regex, RegexRefusal, sequence, setsOf } from './syntax.js'

/** Ways that a matcher may have to try at each character of a text, at most. */
export const mostWays = 256

export interface Plan {
  text: string
  /** how often a matcher reads a character of a text, at most */
  ways: number
}

/**
 * The regular expression for Java's matcher, so that the time it takes is in proportion to the text: `mostWays` steps for each character at
 * most, whatever the text. Java goes back and forth (`(a+)+`, `.*a.*b.*c` on the wrong text: hours), Neo4j cannot stop it. What is refused is
 * refused for what the pattern is, not for the text it meets.
 *
 * Where the ways are too many as it stands, the gaps (`.*`, `\w+`) of each alternative are taken apart: `.*foo.*bar.*` becomes
 * `(?>.*?foo)(?>.*?bar).*`. The first `foo` will do, and is never looked for again, because what follows may be anything that stood
 * before it. Throws a RegexRefusal.
 */
export function planRegex(regex: Regex, budget: Budget): Plan {
  const whole = waysOf(regex, budget)
  if (whole) {
    assertDecided(regex, budget)
    return { text: printRegex(regex, true), ways: whole.most }
  }
  const plans = (regex.kind === 'choice' ? regex.options : [regex]).map((option) => planOption(option, budget))
  const ways = plans.reduce((all, plan) => all + plan.ways, 0)
  if (ways > mostWays) throw tooManyWays()
  return { text: plans.map(({ text }) => text).join('|'), ways }
}

function planOption(option: Regex, budget: Budget): Plan {
  const parts = simplify(option.kind === 'sequence' ? option.parts : [option])
  const whole = sequence(parts)
  assertDecided(whole, budget)
  const ways = waysOf(whole, budget)
  return ways ? { text: printGrouped(whole, true), ways: ways.most } : planGaps(parts, budget)
}

const waysOf = (regex: Regex, budget: Budget): Ways | null => countWays(buildAutomaton(regex, budget), mostWays, budget)

function assertDecided(regex: Regex, budget: Budget): void {
  if (hasLoop(regex) && !isDecidedInLoops(buildAutomaton(regex, budget), budget))
    throw new RegexRefusal(
      'a repeated group that begins with other characters than what follows it',
      'Write [a-z]+(_[a-z]+)* rather than ([a-z]+_)*[a-z]+',
    )
}

const isGap = (part: Regex | undefined): part is Chars => part?.kind === 'chars' && isUnbounded(part)

/** Gaps begin at 0 (`C+` is `CC*`), and what they could read as well is not asked to be long: `.*[0-9]+` is `.*[0-9]`. */
function simplify(parts: readonly Regex[]): Regex[] {
  let now = parts.flatMap((part) => (isGap(part) && part.least > 0 ? [chars(part.set, part.least), chars(part.set, 0, part.most)] : [part]))
  for (let before: Regex[] = []; before.length !== now.length || before.some((part, i) => part !== now[i]); ) {
    before = now
    for (let i = 0; i < now.length && now === before; i++) {
      const part = now[i]!
      const isBeside = (gap: Regex | undefined) => gap !== part && isGap(gap) && part.kind === 'chars' && isSubset(part.set, gap.set)
      if (part.kind !== 'chars' || part.least === part.most || !(isBeside(now[i - 1]) || isBeside(now[i + 1]))) continue
      now = [...now.slice(0, i), ...(part.least > 0 ? [chars(part.set, part.least)] : []), ...now.slice(i + 1)]
    }
  }
  return now
}

/** Gaps, each with what follows it; `head` is what stands before the first. */
interface Piece {
  gap: Chars
  body: Regex[]
}

function planGaps(parts: readonly Regex[], budget: Budget): Plan {
  const first = parts.findIndex(isGap)
  if (first < 0) throw tooManyWays()
  const head = planHead(parts.slice(0, first), budget)
  const pieces: Piece[] = []
  for (const part of parts.slice(first)) {
    if (isGap(part)) pieces.push({ gap: part, body: [] })
    else pieces.at(-1)!.body.push(part)
  }
  let text = head.text
  let ways = 0
  for (let i = 0; i < pieces.length; ) {
    const { size, ...plan } = planPiece(pieces.slice(i), budget)
    text += plan.text
    ways += plan.ways
    i += size
  }
  const all = head.ways + head.tries * ways
  if (all > mostWays) throw tooManyWays()
  return { text, ways: all }
}

/** What stands before the first gap; `tries`: in how many ways it can match, and the rest is tried after each. */
function planHead(parts: readonly Regex[], budget: Budget): Plan & { tries: number } {
  if (parts.length === 0) return { text: '', ways: 0, tries: 1 }
  const head = sequence(parts)
  const ways = waysOf(head, budget)
  const lengths = lengthsOf(head)
  if (!ways || (ways.mayGoOn && !lengths)) throw tooManyWays()
  return { text: printGrouped(head, true), ways: ways.most, tries: ways.ended * (ways.mayGoOn ? lengths![1] - lengths![0] + 1 : 1) }
}

/** The first piece as one that is never gone back to, or with as many more as it takes to the end. */
function planPiece([piece, ...rest]: readonly Piece[], budget: Budget, size = 1): Plan & { size: number } {
  const { gap, body } = piece!
  const [next] = rest
  const reads = union(gap.set, ...body.flatMap(setsOf))
  const plan = (text: (body: Regex) => string, of = sequence(body)): Plan & { size: number } => {
    const ways = waysOf(sequence([gap, of]), budget)
    if (!ways) throw tooManyWays()
    return { text: text(of), ways: ways.most, size }
  }
  const anywhere = printRegex(gap, true)
  const printed = (of: Regex) => printGrouped(of, true)
  if (!next) return plan((of) => anywhere + printed(of))
  const isEnd = rest.length === 1 && next.body.length === 0
  const isAbsorbed = isSubset(reads, next.gap.set)
  // The end of the text comes next: whatever is left is read by the last gap.
  if (isEnd && isAbsorbed) return plan((of) => `(?>${anywhere}?${printed(of)})`)
  if (isEnd && isOfOneLength(sequence(body))) return plan((of) => `(?>${anywhere}${printed(of)})`)
  const earliest = isAbsorbed ? endEarliest(sequence(body), isWithin(body, gap.set)) : null
  if (earliest) return plan((of) => `(?>${anywhere}?${printed(of)})`, earliest)
  return planPiece([{ gap, body: [...body, next.gap, ...next.body] }, ...rest.slice(1)], budget, size + 1)
}

const isWithin = (body: readonly Regex[], set: CharSet) => body.flatMap(setsOf).every((one) => isSubset(one, set))

function isOfOneLength(regex: Regex): boolean {
  const lengths = lengthsOf(regex)
  return lengths !== null && lengths[0] === lengths[1]
}

const tooManyWays = () =>
  new RegexRefusal(
    'a pattern that takes time in proportion to the text',
    'No repeat inside a repeat, and no two in a row that read the same characters; join simpler conditions: n.name CONTAINS "a" AND n.name =~ ".*b"',
  )
