import type { Batch } from '../../models/model.js'
import type { Trainer } from '../../models/trainer.js'
import { EspalierError } from '../../util/error.js'
import type { Problem } from '../../util/problem.js'
import type { TrainingPlan } from '../plan.js'
import { planBatches } from '../sampling/batches.js'

/** Validation examples as tensors, made once: they are the same after every epoch. */
export interface EncodedValidation {
  indices: number[]
  batch: Batch
  /** of examples that cannot be used: they count as wrong */
  problems: Problem[]
}

/** Examples that count in a mean loss. */
export const weightOf = (batch: Batch): number => batch.counts.filter((n) => n > 0).length

export function encodeValidation<Example>({ model, modelOptions, options, task, validation }: TrainingPlan<Example>): EncodedValidation[] {
  const budget = { nodes: options.batchNodes, examples: options.batchExamples }
  return planBatches([...validation.keys()], (i) => task.sizeOf(validation[i]!), budget).map((indices) => ({
    indices,
    ...model.encode(
      indices.map((i) => validation[i]!),
      modelOptions,
    ),
  }))
}

/** Loss and the task's metrics of the trainer's weights, and its scores in the order of the examples. DIVERGED when a loss is not finite. */
export async function validate<Example>(
  { task, validation, modelOptions }: Pick<TrainingPlan<Example>, 'task' | 'validation' | 'modelOptions'>,
  encoded: readonly EncodedValidation[],
  trainer: Pick<Trainer, 'evaluate'>,
): Promise<{ metrics: Record<string, number>; scores: number[][] }> {
  const scores: number[][] = []
  const sum = { loss: 0, weight: 0 }
  // all at once: worker threads take turns
  const results = await Promise.all(encoded.map(({ batch }) => trainer.evaluate(batch)))
  encoded.forEach(({ indices, batch }, k) => {
    const result = results[k]!
    assertFinite(result.loss, 'validation loss', () => indices.map((i) => task.nameOf(validation[i]!)))
    sum.loss += result.loss * weightOf(batch)
    sum.weight += weightOf(batch)
    indices.forEach((index, i) => {
      scores[index] = result.scores[i]!
    })
  })
  return { metrics: { validation_loss: sum.loss / Math.max(1, sum.weight), ...task.judge(validation, scores, modelOptions) }, scores }
}

/** Throws DIVERGED, naming the examples of the batch, when a number that must be finite is not. */
export function assertFinite(value: number, what: string, names: () => readonly string[]): void {
  if (Number.isFinite(value)) return
  const all = names()
  const shown = all.slice(0, 10).join(', ') + (all.length > 10 ? ` and ${all.length - 10} more` : '')
  throw new EspalierError('DIVERGED', `training: the ${what} became ${value} in the batch of ${shown}`, {
    remedy: 'Look at these examples for extreme values; a smaller learningRate, a warm-up or a smaller clipNorm often helps.',
  })
}
