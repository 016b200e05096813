import type { NamedTensors } from '../tensor/tensor.js'
import type { GateResult } from './judging/gates.js'
import type { TrainingOptions } from './options.js'
import type { TraceSummary } from './trace.js'

export interface TrainingCounts {
  trainingExamples: number
  validationExamples: number
  /** optimizer steps of the first epoch; later ones may differ by a few */
  batchesPerEpoch: number
  parameters: number
}

/** What shipped: the best weights on the validation examples, the last ones where there are none. */
export interface TrainingResult {
  parameters: NamedTensors
  /** of the shipped weights on the validation examples; empty without any */
  metrics: Record<string, number>
  gates: GateResult[]
  /** every gate met */
  passed: boolean
  /** of the shipped weights, from 1 */
  bestEpoch: number
  step: number
  epochs: number
  stoppedEarly: boolean
  modelOptions: Record<string, unknown>
}

/** Everything a training says, as values: whoever listens records, draws, stops. */
export type TrainingEvent =
  | {
      type: 'started'
      modelOptions: Record<string, unknown>
      options: TrainingOptions
      counts: TrainingCounts
      /** what computes: the same of all three gives the same bits */
      runtime: { executor: string; threads: number; workers: number }
      /** null unless resumed */
      resumedFrom: { step: number; epoch: number } | null
    }
  | { type: 'metric'; name: string; step: number; value: number }
  | { type: 'log'; level: 'info' | 'warn'; message: string }
  | { type: 'checkpoint'; step: number; bytes: Uint8Array; best: boolean }
  /** what the traced steps spent their time on, whole as a Trace Event Format file */
  | { type: 'profile'; bytes: Uint8Array; summary: TraceSummary }
  | { type: 'paused'; step: number; reason: 'pause' | 'drain' }
  | { type: 'cancelled'; step: number }
  | ({ type: 'finished' } & TrainingResult)
