import { FixedShare } from '../../statistics/fixed-share.js'
import { fitLogistic, type LogisticFit, logisticScore, sigmoid } from '../../statistics/logistic.js'
import { Level } from './level.js'
import { dayMs, gridDays, type PanelRow } from './panel.js'

/**
 * Who makes a forecast: three baselines, three learners (`steady` gives all the same, at the level learned), and the pool that is served:
 * of "nothing", of giving all the same and of telling them apart by counts and model together.
 */
export const experts = ['nothing', 'global', 'recent', 'steady', 'counts', 'logistic', 'pool'] as const
export type Expert = (typeof experts)[number]
/**
 * What the pool is made of beside `nothing`: how far each leaves `steady` for what counts and model tell, as a factor of their log odds. In
 * between, because a release that touches everything touches what was least likely too: whoever told it apart sharply pays for all of it.
 */
const sharpness = { mild: 0.5, sharp: 1 } as const
const members = ['nothing', 'steady', 'mild', 'sharp'] as const
export type Member = (typeof members)[number]

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

/** Moves scores (log odds) together until their mean probability is `level`: who changes is the model's, how many the level's. */
export function atLevel(scores: ArrayLike<number>, level: number): Float64Array {
  let [low, high, shift] = [-40, 40, logit(level)]
  for (let step = 0; step < 60; step++) {
    let [mean, slope] = [0, 0]
    for (let i = 0; i < scores.length; i++) {
      const p = sigmoid(scores[i]! + shift)
      mean += p / scores.length
      slope += (p * (1 - p)) / scores.length
    }
    if (Math.abs(mean - level) <= 1e-13) break
    if (mean < level) low = shift
    else high = shift
    const next = shift - (mean - level) / slope
    shift = next > low && next < high ? next : (low + high) / 2
  }
  return Float64Array.from(scores, (z) => clamp(sigmoid(z + shift)))
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

const shareOf = (changed: Uint8Array) => changed.reduce((a, b) => a + b, 0) / changed.length

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
  weights: Record<Member, number>[]
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
  const [pool, shares, training, level] = [
    new Pool(horizonDays),
    new Shares(),
    new Training(),
    new Level(horizonDays, options.halfLifeDays),
  ]
  const part = (d: number) => [series.starts[d]!, series.starts[d + 1]!] as const
  let [closed, passed] = [0, 0]
  series.dates.forEach((at, d) => {
    for (; closed < d && series.dates[closed]! + horizonDays * dayMs <= at; closed++) {
      const [block, labels] = [rows.slice(...part(closed)), changed.subarray(...part(closed))]
      pool.learn(series.dates[closed]!, labels)
      shares.learn(block, labels)
      training.learn(block, labels)
    }
    for (; passed < d && series.dates[passed]! + gridDays * dayMs <= at; passed++)
      level.learnMonth(series.dates[passed]!, shareOf(changedSoon.subarray(...part(passed))))
    const slice = rows.slice(...part(d))
    const isLast = d === series.dates.length - 1
    if (d % options.refitEvery === 0 || isLast) series.fit = training.fit(slice[0]!.x.length, at, horizonDays, options)
    const now = level.forecast(at)
    const moment: Moment = { slice, horizonDays, shares, level: now, fit: series.fit }
    const made = Object.fromEntries(Object.entries(forecasters).map(([name, forecast]) => [name, forecast(moment)])) as ForecastsAt
    made.pool = pool.forecast(at, made, now)
    series.forecasts.push(made)
    series.weights.push(pool.weights())
  })
  return series
}

/** Log odds of counts (halved: they are too sure of themselves) and of the model, together (a logarithmic opinion pool; Genest & Zidek 1986). */
const together = ({ counts, logistic }: Pick<ForecastsAt, 'counts' | 'logistic'>): Float64Array =>
  logistic.map((p, i) => logit(p) + 0.5 * logit(counts[i]!))

/**
 * Weighted mean of its members, whose weights follow from how well each forecast the windows that have closed: fixed share, as schemas turn
 * from lively to calm and back. How much a window counts and how much is handed back were chosen on the first two thirds of the histories,
 * where anything near does as well: of what comes within 1 % of the least loss, summed over the targets, the quickest to see quiet. Every
 * member earns its place there; `global` and `recent` as further members, weights that never forget, and Bayes over several rates of
 * forgetting do not.
 */
class Pool {
  readonly #mixture = new FixedShare(members.length, handedBack)
  /** what the members said of windows that are still open */
  readonly #said = new Map<number, Float64Array[]>()
  readonly #horizonDays: number
  constructor(horizonDays: number) {
    this.#horizonDays = horizonDays
  }
  weights(): Record<Member, number> {
    return Object.fromEntries(members.map((member, m) => [member, this.#mixture.weights()[m]!])) as Record<Member, number>
  }
  forecast(at: number, made: Omit<ForecastsAt, 'pool'>, level: number): Float64Array {
    const scores = together(made)
    const told = (factor: number) =>
      atLevel(
        scores.map((z) => factor * z),
        level,
      )
    const said = [made.nothing, made.steady, told(sharpness.mild), told(sharpness.sharp)]
    this.#said.set(at, said)
    const weights = this.#mixture.weights()
    return scores.map((_, i) => said.reduce((sum, p, m) => sum + weights[m]! * p[i]!, 0))
  }
  /** a window that has closed */
  learn(at: number, changed: Uint8Array): void {
    const lossOf = (p: Float64Array) => p.reduce((sum, q, i) => sum - Math.log(changed[i] ? q : 1 - q), 0) / changed.length
    this.#mixture.learn(this.#said.get(at)!.map(lossOf), independent(changed.length, this.#horizonDays))
    this.#said.delete(at)
  }
}

/** of its weight, what each member hands to all after each window */
const handedBack = 0.3
/** Units of one window are far from independent: together they count as thirty at most; windows that overlap, as those that would not. */
const independent = (n: number, horizonDays: number) => Math.min(n, 30) * Math.min(1, gridDays / horizonDays)
