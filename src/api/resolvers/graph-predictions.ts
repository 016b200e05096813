import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql'
import { parseAlias } from '../../artifacts/promotion.js'
import type { Alias } from '../../artifacts/store.js'
import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { Precision } from '../../serving/session.js'
import type { JsonValue } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { graphOf } from '../graph-input.js'
import { present } from '../present.js'
import { AliasEnum, PrecisionEnum } from '../types/enums.js'
import { GraphInput, GraphPrediction } from '../types/graph-predictions.js'
import { pageSize } from '../types/paging.js'

const exampleOf = ({ id, query, ...graph }: GraphInput): GraphExample => ({ id, ...present({ query }), ...graphOf(graph, `graph ${id}`) })

@Resolver()
export class GraphPredictionResolver {
  @Query(() => [GraphPrediction], {
    description: 'Asks a model that selects nodes, classifies graphs or writes sequences, in the order of the graphs.',
  })
  async predictGraphs(
    @Ctx() { platform }: ApiContext,
    @Arg('graphs', () => [GraphInput]) graphs: GraphInput[],
    @Arg('component', () => String, { description: 'node-selector, graph-classifier, sequence-writer, or what the run published as' })
    component: string,
    @Arg('alias', () => AliasEnum, { defaultValue: 'production' }) alias: Alias,
    @Arg('top', () => Int, { defaultValue: 5, description: 'Choices told per output' }) top: number,
    @Arg('precision', () => PrecisionEnum, { nullable: true, description: 'INT8 is answered by FP32 where there is no int8 file' })
    precision?: Precision | null,
  ): Promise<GraphPrediction[]> {
    const most = pageSize(top)
    const target = { component, alias: parseAlias(alias), ...present({ precision }) }
    const answered = await platform.serving.answer(graphs.map(exampleOf), target)
    return answered.map(({ answer, outputs, ...rest }) => ({
      ...rest,
      answer: answer as JsonValue,
      outputs: outputs.map((choices) => choices.slice(0, most)),
    }))
  }
}
