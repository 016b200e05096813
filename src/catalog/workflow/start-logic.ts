/** A condition that a job or folder waits for, as its list of in-conditions has it. */
export interface Wait {
  condition: string
  /** normalised: `run-date`, `any`, `previous`, … */
  odate: string
  /** how it is tied to the one before it in the list; of the first it says nothing */
  andOr: 'and' | 'or'
  /** brackets that open before it, and close behind it (default none) */
  open?: number
  close?: number
}

/** A condition of a day: what a token stands for. */
export interface Waited {
  condition: string
  odate: string
}

/** When something may start. */
export interface StartLogic {
  /** sets of conditions, each enough by itself (a disjunction of conjunctions); one empty set where nothing is waited for */
  alternatives: Waited[][]
  /**
   * false: the list could not be read for sure (unbalanced brackets, an OR on the first, or more alternatives than `mostAlternatives`),
   * and any one of its conditions counts as enough: the most lenient reading, so that nothing is called dead that might live
   */
  isExact: boolean
}

export const mostAlternatives = 64
/** brackets in brackets; Control-M itself knows one level */
const deepest = 20

/**
 * What a list of in-conditions says. AND binds tighter than OR, brackets first. `a, b` (all AND) is one alternative; `a or b` two;
 * `(a or b) and c` two again. An alternative that holds another whole is left out.
 */
export function startLogic(waits: readonly Wait[]): StartLogic {
  const parsed = plainAlternatives(waits) ?? (isReadable(waits) ? new Reader(waits).read() : null)
  const alternatives = parsed ?? waits.map((_, i) => new Set([i]))
  return {
    alternatives: distinct(alternatives.map((each) => distinctWaited([...each].map((i) => waitedOf(waits[i]!))))),
    isExact: parsed !== null,
  }
}

/** The usual lists, which have no brackets: all AND (the first says nothing), or all OR. */
function plainAlternatives(waits: readonly Wait[]): Alternatives | undefined {
  if (waits.some((w) => w.open || w.close)) return undefined
  const later = waits.slice(1)
  if (later.every((w) => w.andOr === 'and') && (waits.length < 2 || waits[0]!.andOr === 'and')) return [new Set(waits.keys())]
  return later.every((w) => w.andOr === 'or') ? waits.map((_, i) => new Set([i])) : undefined
}

export const waitedOf = ({ condition, odate }: Waited): Waited => ({ condition, odate })
export const waitedKey = ({ condition, odate }: Waited): string => `${encodeURIComponent(odate)}:${condition}`
const alternativeKey = (alternative: readonly Waited[]): string => alternative.map(waitedKey).join('\n')

/** In the order of their names, each once: an alternative is a set. */
const distinctWaited = (waited: readonly Waited[]): Waited[] =>
  [...new Map(waited.map((w) => [waitedKey(w), w]))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, w]) => w)

const distinct = (alternatives: readonly Waited[][]): Waited[][] => [...new Map(alternatives.map((a) => [alternativeKey(a), a])).values()]

/** All AND, all OR, or a first that says nothing of OR; brackets balanced. */
function isReadable(waits: readonly Wait[]): boolean {
  let depth = 0
  for (const { open = 0, close = 0 } of waits) {
    if (depth + open > deepest) return false
    depth += open - close
    if (depth < 0) return false
  }
  const isMixed = waits.slice(1).some((w) => w.andOr === 'and') && waits[0]!.andOr === 'or'
  return depth === 0 && !isMixed
}

type Alternatives = ReadonlySet<number>[]

/** Recursive descent over the list; null where the alternatives become too many. */
class Reader {
  private at = 0
  /** brackets before the item at hand that were not taken yet, and behind the item just read */
  private pendingOpen: number
  private pendingClose = 0

  /** index -> the first that waits for the same */
  private readonly same: readonly number[]

  constructor(private readonly waits: readonly Wait[]) {
    this.pendingOpen = waits[0]!.open ?? 0
    const firsts = new Map<string, number>()
    for (const [i, wait] of waits.entries()) if (!firsts.has(waitedKey(wait))) firsts.set(waitedKey(wait), i)
    this.same = waits.map((wait) => firsts.get(waitedKey(wait))!)
  }

  read(): Alternatives | null {
    return this.or()
  }

  private or(): Alternatives | null {
    let all = this.and()
    while (all && this.goesOn('or')) {
      const next = this.and()
      all = next && withoutSupersets([...all, ...next])
    }
    return all
  }

  private and(): Alternatives | null {
    let all = this.item()
    while (all && this.goesOn('and')) {
      const next = this.item()
      all = next && withoutSupersets(all.flatMap((a) => next.map((b) => new Set([...a, ...b]))))
    }
    return all
  }

  private goesOn(andOr: Wait['andOr']): boolean {
    return this.pendingClose === 0 && this.waits[this.at]?.andOr === andOr
  }

  private item(): Alternatives | null {
    if (this.pendingOpen > 0) {
      this.pendingOpen--
      const inner = this.or()
      this.pendingClose--
      return inner
    }
    const i = this.at++
    this.pendingClose = this.waits[i]!.close ?? 0
    this.pendingOpen = this.waits[this.at]?.open ?? 0
    return [new Set([this.same[i]!])]
  }
}

function withoutSupersets(alternatives: Alternatives): Alternatives | null {
  const bySize = alternatives.toSorted((a, b) => a.size - b.size)
  const kept: ReadonlySet<number>[] = []
  for (const each of bySize) if (!kept.some((k) => [...k].every((i) => each.has(i)))) kept.push(each)
  return kept.length <= mostAlternatives ? kept : null
}
