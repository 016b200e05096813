import type { Environment } from '../environment.js'
import type { ParityReport } from '../manifest.js'
import { countScores, largestDifference, rankAgreement, type Scores } from './compare.js'
import type { GridCase } from './grid.js'
import type { Scorer } from './scorer.js'

/** The gate of fp32: no score of the exported files may differ more from the trainer's. */
export const tolerance = 1e-5

/** What the trainer says of examples: the same weights through the graphs of training and the layout that training chooses. */
export type ReferenceScores<Example> = (examples: readonly Example[]) => Promise<number[][]>

export interface Fp32Request<Example> {
  /** scores of the validation examples, by the files and by the trainer */
  exported: Scores
  expected: Scores
  grid: readonly GridCase<Example>[]
  scorer: Omit<Scorer<Example>, 'close'>
  reference: ReferenceScores<Example>
  environment: Environment
}

/** Compares exported files with the trainer over the validation examples and, per layout, the grid; every difference within 1e-5 passes. */
export async function measureParity<Example>(request: Fp32Request<Example>): Promise<ParityReport> {
  const { exported, expected, grid, scorer, reference, environment } = request
  const gridResults: ParityReport['grid'] = []
  for (const { case: name, examples } of grid) {
    const wanted = await reference(examples)
    for (const layout of scorer.layouts) {
      const difference = largestDifference(await scorer.score(scorer.encode(examples, layout).batch), wanted)
      gridResults.push({ case: `${layout}: ${name}`, max_abs_diff: difference, passed: difference !== null && difference <= tolerance })
    }
  }
  const difference = largestDifference(exported, expected)
  return {
    precision: 'fp32',
    lists: exported.length,
    candidates: countScores(exported),
    max_abs_diff: difference,
    tolerance,
    ...(difference === null ? { kendall_tau: null, top1_agreement: null } : rankAgreement(exported, expected)),
    grid: gridResults,
    passed: difference !== null && difference <= tolerance && gridResults.every((g) => g.passed),
    ...measuredOn(environment),
  }
}

export const measuredOn = ({ producer, cpu, cpuFlags }: Environment) => ({
  onnxruntime: producer['onnxruntime-node'] ?? 'unknown',
  cpu,
  cpu_flags: cpuFlags,
})
