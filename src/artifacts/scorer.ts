import type { Batch, Model } from '../models/model.js'
import type { RankingList } from '../models/ranking-list.js'
import type { Program } from '../tensor/executor.js'
import { loadOnnx } from '../tensor/ort.js'
import { EspalierError } from '../util/error.js'
import { describeProblem, type Problem } from '../util/problem.js'

/** Scores lists with exported files, through the model's own `encode` and `decode`: what parity measures and what serving runs. */
export interface Scorer {
  /** layouts that there are files of; the first takes any batch */
  readonly layouts: readonly string[]
  /** In the model's own choice of layout where there is a file of it, else in the first one; `layout` forces one. */
  encode(lists: readonly RankingList[], layout?: string): { batch: Batch; problems: Problem[] }
  /** Scores per list in candidate order; none for a list without candidates. */
  score(batch: Batch): Promise<number[][]>
  close(): Promise<void>
}

/** Opens onnxruntime sessions over ONNX files, one per layout. */
export async function openScorer(
  model: Model,
  options: unknown,
  files: ReadonlyMap<string, Uint8Array>,
  { threads = 2 }: { threads?: number } = {},
): Promise<Scorer> {
  const programs = new Map<string, Program>()
  for (const [layout, bytes] of files) programs.set(layout, await loadOnnx(bytes, { threads }))
  const layouts = [...programs.keys()]
  if (layouts.length === 0) throw new EspalierError('BAD_INPUT', `${model.name}: no ONNX file to score with`)
  return {
    layouts,
    encode(lists, layout) {
      const encoded = model.encode(lists, options, layout)
      return layout || programs.has(encoded.batch.layout) ? encoded : model.encode(lists, options, layouts[0])
    },
    async score(batch) {
      const program = programs.get(batch.layout)
      if (!program)
        throw new EspalierError(
          'BAD_INPUT',
          `${model.name}: no ONNX file takes the layout "${batch.layout}", expected one of ${layouts.join(', ')}`,
        )
      return model.decode(await program.run(batch.feeds), batch)
    },
    async close() {
      for (const program of programs.values()) await program.release()
    },
  }
}

/** Throws BAD_INPUT with the problems of a list that cannot be scored. */
export function refuseProblems(what: string, problems: readonly Problem[]): void {
  const errors = problems.filter((p) => p.severity === 'error')
  if (errors.length === 0) return
  throw new EspalierError('BAD_INPUT', `${what}: ${errors.slice(0, 3).map(describeProblem).join('; ')}`, {
    remedy: 'Correct the lists that are named.',
    problems: errors,
  })
}
