import type { Batch, Model } from '../../models/model.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import type { Program } from '../../tensor/executor.js'
import { loadOnnx } from '../../tensor/ort.js'
import { EspalierError } from '../../util/error.js'
import { describeProblem, type Problem } from '../../util/problem.js'

/** Scores examples with exported files, through the model's own `encode` and `decode`: what parity measures and what serving runs. */
export interface Scorer<Example = RankingList> {
  /** layouts that there are files of */
  readonly layouts: readonly string[]
  /** In the model's own choice of layout where there is a file of its kind, else in the first one; `layout` forces one. */
  encode(examples: readonly Example[], layout?: string): { batch: Batch; problems: Problem[] }
  /** Scores per example; none for one without candidates or that could not be encoded. */
  score(batch: Batch): Promise<number[][]>
  close(): Promise<void>
}

/** `sparse` of `sparse:64/64/64`: a file's layout is of one kind and wide enough for any batch. */
export const layoutKind = (layout: string): string => layout.replace(/:.*/, '')

/** Opens onnxruntime sessions over ONNX files, one per layout. */
export async function openScorer<Example = RankingList>(
  // biome-ignore lint/suspicious/noExplicitAny: the options are the model's own, as its manifest keeps them
  model: Model<any, Example>,
  options: unknown,
  files: ReadonlyMap<string, Uint8Array>,
  { threads = 2 }: { threads?: number } = {},
): Promise<Scorer<Example>> {
  const programs = new Map<string, Program>()
  for (const [layout, bytes] of files) programs.set(layout, await loadOnnx(bytes, { threads }))
  const layouts = [...programs.keys()]
  if (layouts.length === 0) throw new EspalierError('BAD_INPUT', `${model.name}: no ONNX file to score with`)
  return {
    layouts,
    encode(examples, layout) {
      const encoded = model.encode(examples, options, layout)
      if (layout || programs.has(encoded.batch.layout)) return encoded
      const kind = layoutKind(encoded.batch.layout)
      return model.encode(examples, options, layouts.find((each) => layoutKind(each) === kind) ?? layouts[0])
    },
    async score(batch) {
      const program = programs.get(batch.layout)
      if (!program)
        throw new EspalierError(
          'BAD_INPUT',
          `${model.name}: the batch needs the layout "${batch.layout}", and there are files for ${layouts.join(', ')}`,
          { remedy: 'Ask about smaller graphs: a node or a graph has more neighbours or nodes than the file takes.' },
        )
      return model.decode(await program.run(batch.feeds), batch)
    },
    async close() {
      for (const program of programs.values()) await program.release()
    },
  }
}

/** Throws BAD_INPUT with the problems of examples that cannot be scored. */
export function refuseProblems(what: string, problems: readonly Problem[]): void {
  const errors = problems.filter((p) => p.severity === 'error')
  if (errors.length === 0) return
  throw new EspalierError('BAD_INPUT', `${what}: ${errors.slice(0, 3).map(describeProblem).join('; ')}`, {
    remedy: 'Correct the examples that are named.',
    problems: errors,
  })
}

/** Examples scored at once: enough for the threads, little enough for memory. */
const chunk = 16

/** Scores of any number of examples, a few at a time. */
export async function scoreAll<Example>(
  scorer: Pick<Scorer<Example>, 'encode' | 'score'>,
  examples: readonly Example[],
): Promise<number[][]> {
  const scores: number[][] = []
  for (let start = 0; start < examples.length; start += chunk) {
    const { batch, problems } = scorer.encode(examples.slice(start, start + chunk))
    refuseProblems('parity', problems)
    scores.push(...(await scorer.score(batch)))
  }
  return scores
}
