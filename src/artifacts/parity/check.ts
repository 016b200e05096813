import { scoreQuery } from '../../evaluation/ranking.js'
import type { Model } from '../../models/model.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import { createTrainer } from '../../models/trainer.js'
import type { TensorExecutor } from '../../tensor/executor.js'
import { loadOnnx } from '../../tensor/ort.js'
import type { NamedTensors } from '../../tensor/tensor.js'
import type { Environment } from '../environment.js'
import type { Int8Mode, Int8Report, ParityReport } from '../manifest.js'
import { type ExportedGraph, quantizeGraph } from '../onnx/export.js'
import { largestDifference, type Scores } from './compare.js'
import { measureParity, tolerance } from './fp32.js'
import type { GridCase } from './grid.js'
import { type Judge, measureInt8, publishesInt8 } from './int8.js'
import { encodeSampleTensors, type GraphSample, type ParitySamples } from './samples.js'
import { openScorer, refuseProblems, type Scorer, scoreAll } from './scorer.js'

/** What is checked, and by what. */
export interface CheckRequest<Example> {
  // biome-ignore lint/suspicious/noExplicitAny: options of any model, parsed by its own schema
  model: Model<any, Example>
  options: unknown
  parameters: NamedTensors
  validation: readonly Example[]
  grid: readonly GridCase<Example>[]
  int8: { mode: Int8Mode; maxDrop: number }
  judge?: Judge<Example>
  metric?: string
  environment: Environment
}

/** What checking found, and the graphs that are to be published. */
export interface Checked {
  graphs: ExportedGraph[]
  parity: ParityReport
  int8Report: Int8Report | null
  samples: ParitySamples
}

/** Mean reciprocal rank over the lists that have something to rank. */
const judgeRanking = (lists: readonly RankingList[], scores: Scores): Record<string, number> => {
  const measured = lists.flatMap((list, i) => scoreQuery(list, scores[i]!) ?? [])
  return measured.length > 0 ? { mrr: measured.reduce((sum, q) => sum + q.mrr, 0) / measured.length } : {}
}

const judgeOf = <Example>({ judge, model }: CheckRequest<Example>): Judge<Example> =>
  judge ?? (model.examples === 'ranking' ? (judgeRanking as unknown as Judge<Example>) : () => ({}))

/** Measures fp32 files beside the trainer and, where wanted, int8 files beside those, over the validation set and the grid. */
export async function checkGraphs<Example>(
  executor: TensorExecutor,
  settled: CheckRequest<Example>,
  fp32: ExportedGraph[],
): Promise<Checked> {
  const { model, options, validation, grid, environment } = settled
  const open: { close(): Promise<void> }[] = []
  const scorerOf = async (graphs: readonly ExportedGraph[]): Promise<Scorer<Example>> => {
    const scorer = await openScorer(model, options, new Map(graphs.map((g) => [g.entry.layout, g.bytes])))
    open.push(scorer)
    return scorer
  }
  try {
    const scorer = await scorerOf(fp32)
    const trainer = openReference(executor, settled)
    open.push(trainer)
    const exported = await scoreAll(scorer, validation)
    const expected = await scoreAll(trainer, validation)
    const reference = async (examples: readonly Example[]) => trainer.score(trainer.encode(examples).batch)
    const parity = await measureParity({ exported, expected, grid, scorer, reference, environment })
    // scores that are no numbers cannot be judged
    const isComparable = settled.int8.mode !== 'off' && parity.max_abs_diff !== null
    const small = !isComparable ? null : await checkInt8(settled, fp32, scorer, exported, scorerOf)
    const published = small && publishesInt8(settled.int8.mode, small.report.passed) ? small : null
    const graphs = [...fp32, ...(published?.graphs ?? [])]
    return { graphs, parity, int8Report: small?.report ?? null, samples: await sampleGraphs(settled, scorer, graphs) }
  } finally {
    for (const each of open) await each.close()
  }
}

/** The trainer as a scorer: the same weights through the graphs of training. */
function openReference<Example>(executor: TensorExecutor, { model, options, parameters }: CheckRequest<Example>) {
  const trainer = createTrainer({ model, options, executor, seed: 0, optimizer: { name: 'sgd' } })
  trainer.restore({ ...trainer.state(), parameters })
  return {
    encode: (examples: readonly Example[]) => model.encode(examples, options),
    score: async (batch: Parameters<typeof trainer.evaluate>[0]) => (await trainer.evaluate(batch)).scores,
    close: () => trainer.close(),
  }
}

async function checkInt8<Example>(
  settled: CheckRequest<Example>,
  fp32: readonly ExportedGraph[],
  scorer: Scorer<Example>,
  scores: Scores,
  scorerOf: (graphs: readonly ExportedGraph[]) => Promise<Scorer<Example>>,
) {
  const { model, validation, grid, metric, int8, environment } = settled
  const graphs: ExportedGraph[] = []
  for (const graph of fp32) graphs.push(await quantizeGraph(model, graph))
  const small = await scorerOf(graphs)
  const bytes = (of: readonly ExportedGraph[]) => of.reduce((sum, g) => sum + g.bytes.length, 0)
  const report = await measureInt8({
    examples: validation,
    fp32: scores,
    int8: await scoreAll(small, validation),
    scorers: { fp32: scorer, int8: small },
    sizes: { fp32: bytes(fp32), int8: bytes(graphs) },
    grid,
    judge: judgeOf(settled),
    ...(metric === undefined ? {} : { metric }),
    maxDrop: int8.maxDrop,
    environment,
  })
  return { graphs, report }
}

/** int8 answers may differ elsewhere by a rounding: less than what rounding costs here, and no closer than this. */
const leastInt8Tolerance = 1e-3

/** The grid as inputs and answers of each file. */
async function sampleGraphs<Example>(
  { model, options, grid }: CheckRequest<Example>,
  scorer: Scorer<Example>,
  graphs: readonly ExportedGraph[],
): Promise<ParitySamples> {
  const examples = grid.flatMap((g) => g.examples)
  const answers = new Map<string, { outputs: NamedTensors; scores: number[][] }>()
  const samples: GraphSample[] = []
  for (const { bytes, entry } of graphs) {
    const { batch, problems } = model.encode(examples, options, entry.layout)
    refuseProblems('parity samples', problems)
    const program = await loadOnnx(bytes)
    const outputs = await program.run(batch.feeds).finally(() => program.release())
    const scores = model.decode(outputs, batch)
    answers.set(`${entry.layout} ${entry.precision}`, { outputs, scores })
    const exact = answers.get(`${entry.layout} fp32`)!.scores
    samples.push({
      path: entry.path,
      tolerance: entry.precision === 'fp32' ? tolerance : Math.max(leastInt8Tolerance, largestDifference(scores, exact) ?? 0),
      inputs: encodeSampleTensors(
        batch.feeds,
        entry.inputs.map((i) => i.name),
      ),
      outputs: encodeSampleTensors(outputs),
    })
  }
  const scores = await scorer.score(scorer.encode(examples).batch)
  return { tolerance, examples: JSON.parse(JSON.stringify(examples)), scores, graphs: samples }
}
