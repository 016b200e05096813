import type { Listens, Reads } from '../artifacts/promotion.js'
import type { Alias, Artifact } from '../artifacts/store.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { digestRankingList } from '../models/rankings/ranking-list-digest.js'
import { EspalierError } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { openAliasTable } from './alias-table.js'
import { type Batcher, type BatcherOptions, openBatcher } from './batcher.js'
import { openCache } from './cache.js'
import { type LatencySummary, openLatency } from './latency.js'
import { openSession, type Precision, type Session, type SessionTools } from './session.js'

export interface ServingOptions extends Partial<BatcherOptions> {
  /** answers kept (default 10,000); 0: none */
  cacheEntries?: number
  /** what answers where a request does not say (default fp32) */
  precision?: Precision
}

export interface ServingTools extends SessionTools {
  database: Reads & Listens
  log: Logger
}

export interface RankedCandidate {
  /** place in the list that was asked */
  index: number
  id: string | null
  /** higher is better; comparable within its list only */
  score: number
}

export interface RankedList {
  queryId: string
  artifactId: string
  version: string
  /** what answered: fp32 also where int8 was asked for and the artifact has none */
  precision: Precision
  /** best first; equal scores in the order asked */
  candidates: RankedCandidate[]
}

export interface RankTarget {
  /** default `ranker` */
  component?: string
  /** default `production` */
  alias?: Alias
  /** int8 is answered by fp32 where the artifact was published without; default as serving was opened */
  precision?: Precision
}

export interface ServingStatistics {
  latency: LatencySummary
  cache: { entries: number; hits: number; misses: number }
  /** lists waiting or being scored */
  pending: number
  /** artifacts in memory and the aliases that they answer for */
  artifacts: { artifactId: string; aliases: string[] }[]
}

export interface Serving {
  /**
   * Ranks the candidates of each list with the artifact that the alias names. NOT_FOUND where it names none, BAD_INPUT for lists the
   * model cannot take, OVERLOADED when too many wait.
   */
  rank(lists: readonly RankingList[], target?: RankTarget): Promise<RankedList[]>
  /** The feature spec of the artifact that the alias names, to encode inputs by; null when it was published without one. */
  featureSpec(target?: RankTarget): Promise<unknown>
  statistics(): ServingStatistics
  close(): Promise<void>
}

/** A session with its queue. */
interface Ranker {
  session: Session
  batchers: Record<Precision, Batcher<RankingList, number[] | EspalierError>>
  close(): Promise<void>
}

/** Opens serving: nothing is loaded until it is asked for; from then on each alias follows its moves without a failed request. */
export async function openServing(tools: ServingTools, options: ServingOptions = {}): Promise<Serving> {
  const { database, log } = tools
  const { maxItems = 64, maxAgeMs = 2, maxQueue = 1024, cacheEntries = 10_000, precision: usual = 'fp32' } = options
  const cache = openCache<readonly number[]>(cacheEntries)
  const latency = openLatency()
  let pending = 0

  const table = await openAliasTable<Ranker>({ database, log }, async (artifact) => {
    const session = await openSession(artifact, tools)
    const batcherOf = (precision: Precision) =>
      openBatcher((lists: readonly RankingList[]) => session.score(lists, precision), { maxItems, maxAgeMs, maxQueue })
    const batchers = { fp32: batcherOf('fp32'), int8: batcherOf('int8') }
    return { session, batchers, close: () => session.close() }
  })

  /** Scores from the cache where it has them; equal lists of one request are scored once. */
  const scoresOf = async (batcher: Ranker['batchers'][Precision], model: string, lists: readonly RankingList[]) => {
    const keys = lists.map((list) => `${model} ${digestRankingList(list)}`)
    const known = new Map<string, readonly number[]>()
    const missing = new Map<string, RankingList>()
    for (const [i, key] of keys.entries()) {
      const scores = cache.get(key)
      if (scores) known.set(key, scores)
      else missing.set(key, lists[i]!)
    }
    const answers = missing.size === 0 ? [] : await batcher.submit([...missing.values()])
    for (const [i, key] of [...missing.keys()].entries()) {
      const answer = answers[i]!
      if (answer instanceof EspalierError) throw answer
      known.set(key, answer)
      cache.set(key, answer)
    }
    return keys.map((key) => known.get(key)!)
  }

  const settle = ({ component = 'ranker', alias = 'production' }: RankTarget = {}) => ({ component, alias })

  return {
    async rank(lists, target) {
      const started = performance.now()
      pending += lists.length
      try {
        return await table.use(settle(target), async (ranker, artifact) => {
          const precision = ranker.session.precision(target?.precision ?? usual)
          const scores = await scoresOf(ranker.batchers[precision], `${artifact.manifestDigest} ${precision}`, lists)
          return lists.map((list, i) => rankedList(list, scores[i]!, artifact, precision))
        })
      } finally {
        pending -= lists.length
        latency.record(performance.now() - started)
      }
    },
    featureSpec: (target) => table.use(settle(target), async ({ session }) => session.featureSpec),
    statistics: () => ({
      latency: latency.read(),
      cache: { entries: cache.size, hits: cache.hits, misses: cache.misses },
      pending,
      artifacts: table.list(),
    }),
    close: () => table.close(),
  }
}

function rankedList(
  { queryId, candidates }: RankingList,
  scores: readonly number[],
  { id, version }: Artifact,
  precision: Precision,
): RankedList {
  const ranked = candidates
    .map((candidate, index) => ({ index, id: candidate.id ?? null, score: scores[index]! }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
  return { queryId, artifactId: id, version, precision, candidates: ranked }
}
