import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql'
import { parseAlias } from '../../artifacts/promotion.js'
import type { Alias } from '../../artifacts/store.js'
import type { CandidateGraph, RankingList } from '../../models/rankings/ranking-list.js'
import { parseLinkTask } from '../../serving/link-tasks.js'
import { predictLinks } from '../../serving/predict-links.js'
import type { Precision } from '../../serving/session.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { graphOf } from '../graph-input.js'
import { present } from '../present.js'
import { AliasEnum, PrecisionEnum } from '../types/enums.js'
import { pageSize } from '../types/paging.js'
import { type CandidateInput, LinkPrediction, RankedList, RankingListInput, ServingStatus } from '../types/serving.js'

const candidateOf = ({ id, ...graph }: CandidateInput, place: string): CandidateGraph => ({ ...present({ id }), ...graphOf(graph, place) })

const listOf = ({ queryId, query, candidates }: RankingListInput): RankingList => ({
  queryId,
  ...present({ query }),
  candidates: candidates.map((candidate, i) => candidateOf(candidate, `list ${queryId}, candidate ${i}`)),
})

@Resolver()
export class ServingResolver {
  @Query(() => [RankedList], { description: 'Ranks candidates with the artifact that an alias names.' })
  rank(
    @Ctx() { platform }: ApiContext,
    @Arg('lists', () => [RankingListInput]) lists: RankingListInput[],
    @Arg('component', () => String, { defaultValue: 'ranker' }) component: string,
    @Arg('alias', () => AliasEnum, { defaultValue: 'production' }) alias: Alias,
    @Arg('precision', () => PrecisionEnum, { nullable: true, description: 'INT8 is answered by FP32 where there is no int8 file' })
    precision?: Precision | null,
  ): Promise<RankedList[]> {
    return platform.serving.rank(lists.map(listOf), { component, alias: parseAlias(alias), ...present({ precision }) })
  }

  @Query(() => LinkPrediction, {
    description: 'The likeliest links of a node in the live catalog, for example which column it references.',
  })
  async predictLinks(
    @Ctx() { platform, loaders }: ApiContext,
    @Arg('nodeId', () => ID, { description: 'The node that the links begin at: a column, for foreign-key' }) nodeId: string,
    @Arg('task', () => String, { defaultValue: 'foreign-key', description: 'foreign-key, lineage or dependency' }) task: string,
    @Arg('k', () => Int, { defaultValue: 10 }) k: number,
    @Arg('component', () => String, { nullable: true, description: 'Default: what runs of the task publish as' })
    component: string | null | undefined,
    @Arg('alias', () => AliasEnum, { defaultValue: 'production' }) alias: Alias,
    @Arg('includeKnown', () => Boolean, { defaultValue: false, description: 'Also links that the catalog has already' })
    includeKnown: boolean,
    @Arg('precision', () => PrecisionEnum, { nullable: true, description: 'INT8 is answered by FP32 where there is no int8 file' })
    precision?: Precision | null,
  ): Promise<LinkPrediction> {
    const parsed = parseLinkTask(task)
    const node = await loaders.nodeAt().load(nodeId)
    if (!node)
      throw new EspalierError('NOT_FOUND', `node "${nodeId.slice(0, 200)}": the catalog has none of this id`, {
        remedy: 'Ids read <project>/<system>/<kind>:<qualified name>, as in bank/hive/column:core.account.account_id.',
      })
    const estate = await platform.estates.read(node.projectId)
    const target = { alias: parseAlias(alias), ...present({ component, precision }) }
    return predictLinks(platform.serving, estate, nodeId, parsed, { k: pageSize(k), includeKnown, ...target })
  }

  @Query(() => ServingStatus, { description: 'Latency, cache and what is in memory.' })
  serving(@Ctx() { platform }: ApiContext): ServingStatus {
    return platform.serving.statistics()
  }
}
