import type { Listens, Reads } from '../artifacts/promotion.js'
import type { Alias, Artifact } from '../artifacts/store.js'
import { type AnswerKind, type GraphAnswer, readAnswer } from '../models/graphs/graph-answer.js'
import { digestGraphExample, type GraphExample } from '../models/graphs/graph-example.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { digestRankingList } from '../models/rankings/ranking-list-digest.js'
import { EspalierError } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { openAliasTable } from './alias-table.js'
import { type Batcher, type BatcherOptions, openBatcher } from './batcher.js'
import { openCache } from './cache.js'
import { type LatencySummary, openLatency } from './latency.js'
import { type AnyExample, openSession, type Precision, type Session, type SessionTools } from './session.js'

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

export interface AnsweredGraph extends GraphAnswer {
  id: string
  kind: AnswerKind
  artifactId: string
  version: string
  /** as of a ranked list */
  precision: Precision
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
  /** lists and graphs waiting or being scored */
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
  /**
   * Answers the question about each graph: a node of it, its label, or a sequence, with probabilities. Targets and annotations that come
   * along are not looked at. Refuses as `rank` does.
   */
  answer(examples: readonly GraphExample[], target: RankTarget & { component: string }): Promise<AnsweredGraph[]>
  /** The feature spec of the artifact that the alias names, to encode inputs by; null when it was published without one. */
  featureSpec(target?: RankTarget): Promise<unknown>
  statistics(): ServingStatistics
  close(): Promise<void>
}

/** Scores that the cache keeps of one answer at most: it counts answers, and those about huge graphs would fill the memory. */
const mostKept = 4096

/** A session with its queues. */
interface Answering {
  session: Session
  batchers: Record<Precision, Batcher<AnyExample, number[] | EspalierError>>
  close(): Promise<void>
}

/** Opens serving: nothing is loaded until it is asked for; from then on each alias follows its moves without a failed request. */
export async function openServing(tools: ServingTools, options: ServingOptions = {}): Promise<Serving> {
  const { database, log } = tools
  const { maxItems = 64, maxAgeMs = 2, maxQueue = 1024, cacheEntries = 10_000, precision: usual = 'fp32' } = options
  const cache = openCache<readonly number[]>(cacheEntries)
  const latency = openLatency()
  let pending = 0

  const table = await openAliasTable<Answering>({ database, log }, async (artifact) => {
    const session = await openSession(artifact, tools)
    const batcherOf = (precision: Precision) =>
      openBatcher((examples: readonly AnyExample[]) => session.score(examples, precision), { maxItems, maxAgeMs, maxQueue })
    const batchers = { fp32: batcherOf('fp32'), int8: batcherOf('int8') }
    return { session, batchers, close: () => session.close() }
  })

  /** Scores from the cache where it has them; equal examples of one request are scored once. */
  const scoresOf = async (batcher: Answering['batchers'][Precision], model: string, examples: readonly AnyExample[]) => {
    const keys = examples.map((example) => `${model} ${digestOf(example)}`)
    const known = new Map<string, readonly number[]>()
    const missing = new Map<string, AnyExample>()
    for (const [i, key] of keys.entries()) {
      const scores = cache.get(key)
      if (scores) known.set(key, scores)
      else missing.set(key, examples[i]!)
    }
    const answers = missing.size === 0 ? [] : await batcher.submit([...missing.values()])
    for (const [i, key] of [...missing.keys()].entries()) {
      const answer = answers[i]!
      if (answer instanceof EspalierError) throw answer
      known.set(key, answer)
      if (answer.length <= mostKept) cache.set(key, answer)
    }
    return keys.map((key) => known.get(key)!)
  }

  const settle = ({ component = 'ranker', alias = 'production' }: RankTarget = {}) => ({ component, alias })

  /** Scores of examples, each as `told` by whoever knows what they mean. */
  const answerEach = async <Example extends AnyExample, Told>(
    examples: readonly Example[],
    target: RankTarget | undefined,
    tell: (session: Session, precision: Precision) => (example: Example, scores: readonly number[]) => Told,
  ): Promise<Told[]> => {
    const started = performance.now()
    pending += examples.length
    try {
      return await table.use(settle(target), async ({ session, batchers }, artifact) => {
        const precision = session.precision(target?.precision ?? usual)
        const told = tell(session, precision)
        const scores = await scoresOf(batchers[precision], `${artifact.manifestDigest} ${precision}`, examples)
        return examples.map((example, i) => told(example, scores[i]!))
      })
    } finally {
      pending -= examples.length
      latency.record(performance.now() - started)
    }
  }

  return {
    rank: (lists, target) =>
      answerEach(lists, target, (session, precision) => {
        assertRanks(session)
        return (list, scores) => rankedList(list, scores, session.artifact, precision)
      }),
    answer: (examples, target) =>
      answerEach(examples.map(bare), target, (session, precision) => {
        const kind = assertAnswers(session)
        const { id: artifactId, version, manifest } = session.artifact
        return (example, scores) => ({
          ...{ id: example.id, kind, artifactId, version, precision },
          ...readAnswer(kind, example, scores, manifest.model.options),
        })
      }),
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

const digestOf = (example: AnyExample): string => ('queryId' in example ? digestRankingList(example) : digestGraphExample(example))

/** The question without the answer. */
const bare = ({ target: _, annotations: __, ...question }: GraphExample): GraphExample => question

function assertRanks({ kind, artifact }: Session): void {
  if (kind === 'ranking') return
  throw new EspalierError('BAD_INPUT', `artifact ${artifact.id}: its model answers questions of the kind "${kind}", not rankings`, {
    remedy: 'Name a component whose model ranks candidates, or ask it about graphs (predictGraphs).',
  })
}

function assertAnswers({ kind, artifact }: Session): AnswerKind {
  if (kind !== 'ranking') return kind
  throw new EspalierError('BAD_INPUT', `artifact ${artifact.id}: its model ranks candidates, and is not asked about a single graph`, {
    remedy: 'Name a component whose model selects nodes, classifies graphs or writes sequences, or ask it to rank.',
  })
}
