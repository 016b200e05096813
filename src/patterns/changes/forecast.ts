import { FixedShare } from '../../statistics/fixed-share.js'
import { fitLogistic, type LogisticFit, logisticScore, sigmoid } from '../../statistics/logistic.js'
import { dayMs, gridDays, type PanelRow } from './panel.js'

/**
 * Who makes a forecast: three baselines, three learners (`steady` gives all the same, at the level learned), and the pool that is served:
 * between giving all the same and telling them apart by counts and model together.
 */
export const experts = ['nothing', 'global', 'recent', 'steady', 'counts', 'logistic', 'pool'] as const
export type Expert = (typeof experts)[number]
/**
 * What the pool is made of: how far each leaves `steady` for what counts and model tell. In between, because a release that touches
 * everything touches what was least likely too: whoever told it apart sharply pays for all of it.
 */
export const poolMembers = { steady: 0, mild: 0.2, sharp: 1 } as const
type Member = keyof typeof poolMembers
const members = Object.keys(poolMembers) as Member[]

export interface ForecastOptions {
  /** ridge on the coefficients of the logistic model */
  ridge: number
  /** a training window loses half its weight in this many days */
  halfLifeDays: number
  /** how many rows that change alike count as one that changes alone (a release touches many columns at once) */
  clump: number
  /** the logistic model is fitted anew at every n-th date */
  refitEvery: number
}

/** Numbers chosen on windows that closed in the first two thirds of the histories (scripts/bench/schema-evolution.mjs). */
export const defaultForecast: ForecastOptions = {
  ridge: 50,
  halfLifeDays: 1460,
  clump: 1,
  refitEvery: 3,
}

/** Rows of one kind of unit, in order of time, with what happened in the window after each. */
export interface Labelled {
  rows: readonly PanelRow[]
  /** did it change at all in (at, at + horizon]? Read only for windows that have closed. */
  changed: Uint8Array
  /** the same of (at, at + gridDays], read only once those have passed */
  changedSoon: Uint8Array
}

/**
 * "Nothing ever changes", with the chance that it is given of being wrong, so that a surprise stays finite: of these, the one that would
 * have served best so far. More than one in a hundred is no longer "nothing".
 */
export const doubts = [0.0005, 0.001, 0.002, 0.005, 0.01] as const
const firstDoubt = 0.005
const recencyEdges = [30, 90, 180, 365, 730, 1460]
const bin = ({ recency }: PanelRow) => recencyEdges.filter((edge) => recency >= edge).length + Number(recency === Number.POSITIVE_INFINITY)
const logit = (p: number) => Math.log(p / (1 - p))
const clamp = (p: number) => Math.min(Math.max(p, 1e-6), 1 - 1e-6)

/** What is known when a forecast is made: rows whose windows have closed, and rows to forecast. */
interface Moment {
  slice: readonly PanelRow[]
  horizonDays: number
  /** share of changed ones among all closed windows, and by bin of recency */
  shares: Shares
  /** how many will change, as a share */
  level: number
  fit: LogisticFit | null
}

type Forecaster = (moment: Moment) => Float64Array

const forecasters: Record<Exclude<Expert, 'pool'>, Forecaster> = {
  nothing: ({ slice, shares }) => new Float64Array(slice.length).fill(shares.doubt()),
  global: ({ slice, shares }) => new Float64Array(slice.length).fill(shares.overall()),
  recent: ({ slice, shares }) => Float64Array.from(slice, (row) => shares.ofBin(bin(row))),
  steady: ({ slice, level }) => new Float64Array(slice.length).fill(level),
  counts: ({ slice, level, horizonDays }) =>
    atLevel(
      slice.map((row) => logit(clamp(-Math.expm1(-row.rate * horizonDays)))),
      level,
    ),
  logistic: ({ slice, level, fit }) => {
    const centred = centre(slice)
    const width = slice[0]?.x.length ?? 0
    return atLevel(
      slice.map((_, i) => (fit ? logisticScore(fit, centred, i * width) : 0)),
      level,
    )
  },
}

/** Moves scores (log odds) together until their mean probability is `level`: who changes is the model's, how many the counts'. */
export function atLevel(scores: readonly number[], level: number): Float64Array {
  let [low, high] = [-40, 40]
  for (let step = 0; step < 60; step++) {
    const shift = (low + high) / 2
    const mean = scores.reduce((sum, z) => sum + sigmoid(z + shift), 0) / scores.length
    if (mean < level) low = shift
    else high = shift
  }
  return Float64Array.from(scores, (z) => clamp(sigmoid(z + (low + high) / 2)))
}

/** Features less their mean over the rows of one moment. */
function centre(rows: readonly PanelRow[]): Float64Array {
  const width = rows[0]?.x.length ?? 0
  const out = new Float64Array(rows.length * width)
  for (let c = 0; c < width; c++) {
    const mean = rows.reduce((sum, row) => sum + row.x[c]!, 0) / rows.length
    rows.forEach((row, i) => {
      out[i * width + c] = row.x[c]! - mean
    })
  }
  return out
}

/** Shares of changed rows, learned window by window. */
class Shares {
  readonly #yes = new Float64Array(recencyEdges.length + 2)
  readonly #n = new Float64Array(recencyEdges.length + 2)
  readonly #doubtLoss = new Float64Array(doubts.length)
  #windows = 0
  learn(rows: readonly PanelRow[], changed: Uint8Array): void {
    const share = shareOf(changed)
    this.#windows++
    doubts.forEach((p, d) => {
      this.#doubtLoss[d]! -= share * Math.log(p) + (1 - share) * Math.log1p(-p)
    })
    rows.forEach((row, i) => {
      this.#n[bin(row)]!++
      this.#yes[bin(row)]! += changed[i]!
    })
  }
  overall(): number {
    const sum = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0)
    return (sum(this.#yes) + 0.5) / (sum(this.#n) + 50)
  }
  doubt(): number {
    return this.#windows === 0 ? firstDoubt : doubts[this.#doubtLoss.indexOf(Math.min(...this.#doubtLoss))]!
  }
  ofBin(b: number): number {
    return (this.#yes[b]! + 20 * this.overall()) / (this.#n[b]! + 20)
  }
}

/**
 * How many will change. Schemas change in bursts with long quiet between, so no mean is right for long: two forecasts are mixed by fixed
 * share, that of `nothing` and the mean of a long view (the mean over all windows) and a near one (the newest months, which fade by half
 * each, held by the overall share). Months, because what a window of 180 days will tell is known month by month while it is open: a burst is
 * seen when it comes, and that it is over when it is. Chosen on the first two thirds of the histories: of the rules within 1 % of the best
 * there that lose nothing to the rule before, the one that sees quickest that it has become quiet. A window counts as many units, more than
 * the bound of fixed share is proved for: what is hoped for is its forgetting, not its guarantee.
 */
export class Level {
  readonly #horizonDays: number
  readonly #months: { at: number; share: number }[] = []
  #shares = firstShare
  #windows = 1
  readonly #mixture = new FixedShare(2, mixtureShare)
  /** what either said of windows that are still open */
  readonly #said = new Map<number, readonly [number, number]>()
  constructor(horizonDays: number) {
    this.#horizonDays = horizonDays
  }
  /** `overall`: the share of changed ones among all closed windows; `doubt`: what `nothing` says */
  forecast(at: number, overall: number, doubt: number): number {
    let [near, weight] = [overall, 1]
    for (const month of this.#months) {
      const fade = 0.5 ** ((at - month.at) / dayMs / gridDays - 1)
      near += fade * Math.min(1, (month.share * this.#horizonDays) / gridDays)
      weight += fade
    }
    const said = [clamp((this.#shares / this.#windows + near / weight) / 2), doubt] as const
    this.#said.set(at, said)
    return this.#mixture.mix(said)
  }
  /** a window that has closed: what share of how many changed */
  learn(at: number, share: number, n: number): void {
    this.#shares += share
    this.#windows++
    const said = this.#said.get(at)
    this.#said.delete(at)
    if (!said) return
    const losses = said.map((p) => -share * Math.log(p) - (1 - share) * Math.log1p(-p))
    this.#mixture.learn(losses, independent(n, this.#horizonDays))
  }
  /** the share that changed in the `gridDays` after `at`, once they have passed */
  learnMonth(at: number, share: number): void {
    this.#months.push({ at, share })
  }
}
/** believed before anything was seen */
const firstShare = 0.01
/** of its weight, what either forecast hands to both after each window */
const mixtureShare = 0.01
const shareOf = (changed: Uint8Array) => changed.reduce((a, b) => a + b, 0) / changed.length
/** Units of one window are far from independent: together they count as thirty at most; windows that overlap, as those that would not. */
const independent = (n: number, horizonDays: number) => Math.min(n, 30) * Math.min(1, gridDays / horizonDays)

/** Closed windows as the logistic model reads them. */
class Training {
  readonly #blocks: { at: number; x: Float64Array; y: Uint8Array }[] = []
  learn(rows: readonly PanelRow[], changed: Uint8Array): void {
    this.#blocks.push({ at: rows[0]!.at, x: centre(rows), y: changed })
  }
  fit(width: number, at: number, horizonDays: number, { halfLifeDays, clump, ridge }: ForecastOptions): LogisticFit | null {
    if (this.#blocks.length === 0) return null
    const n = this.#blocks.reduce((sum, { y }) => sum + y.length, 0)
    const [x, y, weights] = [new Float64Array(n * width), new Uint8Array(n), new Float64Array(n)]
    let start = 0
    for (const block of this.#blocks) {
      x.set(block.x, start * width)
      y.set(block.y, start)
      const hits = block.y.reduce((sum, hit) => sum + hit, 0)
      // Windows overlap: together they weigh what windows that do not would. A release of many columns says little more than one of few.
      const overlap = Math.min(1, 30 / horizonDays) / (1 + hits / clump)
      weights.fill(overlap * 0.5 ** ((at - block.at) / dayMs / halfLifeDays), start, start + block.y.length)
      start += block.y.length
    }
    return fitLogistic({ x, width, y, weights }, { ridge, iterations: 8 })
  }
}

export type ForecastsAt = Record<Expert, Float64Array>
export interface ForecastSeries {
  dates: number[]
  /** first row of each date, and the number of rows */
  starts: number[]
  /** per date, forecasts for its rows */
  forecasts: ForecastsAt[]
  /** what each member of the pool weighs at each date */
  weights: Record<string, number>[]
  /** the last fit, for those who want to know what it looks at */
  fit: LogisticFit | null
}

/**
 * Walks forward: at each date every expert knows the windows that had closed by then, and forecasts the one that opens. The pool's weights
 * follow from how well each of its members forecast the windows closed by then, none of which it had been fitted to.
 */
export function forecastSeries(data: Labelled, horizonDays: number, options: ForecastOptions = defaultForecast): ForecastSeries {
  const { rows, changed, changedSoon } = data
  const starts = rows.flatMap((row, i) => (i === 0 || rows[i - 1]!.at !== row.at ? [i] : []))
  const series: ForecastSeries = {
    dates: starts.map((i) => rows[i]!.at),
    starts: [...starts, rows.length],
    forecasts: [],
    weights: [],
    fit: null,
  }
  const [pool, shares, training, level] = [new Pool(options, horizonDays), new Shares(), new Training(), new Level(horizonDays)]
  const part = (d: number) => [series.starts[d]!, series.starts[d + 1]!] as const
  let [closed, passed] = [0, 0]
  series.dates.forEach((at, d) => {
    for (; closed < d && series.dates[closed]! + horizonDays * dayMs <= at; closed++) {
      const [block, labels] = [rows.slice(...part(closed)), changed.subarray(...part(closed))]
      pool.learn(series.dates[closed]!, labels)
      shares.learn(block, labels)
      level.learn(series.dates[closed]!, shareOf(labels), labels.length)
      training.learn(block, labels)
    }
    for (; passed < d && series.dates[passed]! + gridDays * dayMs <= at; passed++)
      level.learnMonth(series.dates[passed]!, shareOf(changedSoon.subarray(...part(passed))))
    const slice = rows.slice(...part(d))
    const isLast = d === series.dates.length - 1
    if (d % options.refitEvery === 0 || isLast) series.fit = training.fit(slice[0]!.x.length, at, horizonDays, options)
    const now = level.forecast(at, shares.overall(), shares.doubt())
    const moment: Moment = { slice, horizonDays, shares, level: now, fit: series.fit }
    const made = Object.fromEntries(Object.entries(forecasters).map(([name, forecast]) => [name, forecast(moment)])) as ForecastsAt
    made.pool = pool.forecast(at, made, now)
    series.forecasts.push(made)
    series.weights.push(pool.weights())
  })
  return series
}

/** Scores of counts (halved: they are too sure of themselves) and of the model, together (a logarithmic opinion pool; Genest & Zidek 1986). */
const together = (made: Pick<ForecastsAt, 'counts' | 'logistic'>, level: number): Float64Array =>
  atLevel(
    Array.from(made.logistic, (p, i) => logit(p) + 0.5 * logit(made.counts[i]!)),
    level,
  )

/**
 * Weights that follow from past likelihoods, the recent past counting more (discounted exponential weights; Cesa-Bianchi & Lugosi 2006,
 * ch. 2.11).
 */
class Pool {
  readonly #gains = new Float64Array(members.length)
  /** what the members said of windows that are still open */
  readonly #made = new Map<number, Float64Array[]>()
  #at: number | null = null
  readonly #options: ForecastOptions
  readonly #horizonDays: number
  constructor(options: ForecastOptions, horizonDays: number) {
    this.#options = options
    this.#horizonDays = horizonDays
  }
  weights(): Record<Member, number> {
    const odds = oddsOf(this.#gains)
    return Object.fromEntries(members.map((member, m) => [member, odds[m]!])) as Record<Member, number>
  }
  forecast(at: number, made: Pick<ForecastsAt, 'counts' | 'logistic' | 'steady'>, level: number): Float64Array {
    const told = together(made, level)
    const all = members.map((member) => told.map((p, i) => (1 - poolMembers[member]) * made.steady[i]! + poolMembers[member] * p))
    this.#made.set(at, all)
    const odds = oddsOf(this.#gains)
    return told.map((_, i) => all.reduce((sum, p, m) => sum + odds[m]! * p[i]!, 0))
  }
  learn(at: number, changed: Uint8Array): void {
    const fade = this.#at === null ? 1 : 0.5 ** ((at - this.#at) / dayMs / this.#options.halfLifeDays)
    this.#at = at
    const scale = independent(changed.length, this.#horizonDays) / changed.length
    for (const [m, p] of this.#made.get(at)!.entries()) {
      const loss = changed.reduce((sum, hit, i) => sum - Math.log(hit ? p[i]! : 1 - p[i]!), 0)
      this.#gains[m] = this.#gains[m]! * fade - scale * loss
    }
    this.#made.delete(at)
  }
}

/** Weights in proportion to exp(gain). */
function oddsOf(gains: Float64Array): number[] {
  const best = gains.reduce((a, b) => Math.max(a, b))
  const odds = Array.from(gains, (gain) => Math.exp(gain - best))
  const total = odds.reduce((a, b) => a + b, 0)
  return odds.map((odd) => odd / total)
}
