import { describe, expect, it } from 'vitest'
import { initialScheduleState, learningRateAt, observeLoss, scheduleOptions, schedules } from '../../../src/training/schedules.js'

const rates = (
  schedule: unknown,
  n: number,
  {
    losses,
    warmUpSteps = 0,
    warmUpFactor = 0.25,
    totalSteps = n,
  }: {
    losses?: number[]
    warmUpSteps?: number
    warmUpFactor?: number
    totalSteps?: number
  } = {},
) => {
  const parsed = scheduleOptions.parse(schedule)
  let state = initialScheduleState()
  return Array.from({ length: n }, (_, step) => {
    const rate = learningRateAt({ schedule: parsed, learningRate: 0.1, warmUpSteps, warmUpFactor, totalSteps, step, state })
    if (losses) state = observeLoss(parsed, state, losses[step]!, 0.1)
    return rate
  })
}

/** Printed by torch 2.5.1's own lr_scheduler.py, base rate 0.1. */
const frozen: [title: string, schedule: unknown, expected: number[]][] = [
  ['StepLR(3, 0.1)', { name: 'step', stepSize: 3 }, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.0001]],
  [
    'MultiStepLR([2, 5], 0.5)',
    { name: 'multistep', milestones: [2, 5], gamma: 0.5 },
    [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.025],
  ],
  [
    'ExponentialLR(0.9)',
    { name: 'exponential', gamma: 0.9 },
    [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.043046721, 0.0387420489],
  ],
  [
    'LinearLR(1/3, 1, 5)',
    { name: 'linear', startFactor: 1 / 3, endFactor: 1, totalSteps: 5 },
    [0.03333333333333333, 0.04666666666666667, 0.06, 0.07333333333333335, 0.08666666666666668, 0.1, 0.1, 0.1],
  ],
  [
    'PolynomialLR(8, 2)',
    { name: 'polynomial', power: 2, totalSteps: 8 },
    [0.1, 0.0765625, 0.05625, 0.0390625, 0.025, 0.0140625, 0.00625, 0.0015625, 0, 0],
  ],
  [
    'CosineAnnealingLR(9, 0.001)',
    { name: 'cosine', minimum: 0.001, totalSteps: 9 },
    [
      0.1, 0.09701478472890247, 0.0884191999343894, 0.07525, 0.05909558479451306, 0.04190441520548695, 0.02575, 0.012580800065610593,
      0.003985215271097539, 0.001,
    ],
  ],
  [
    'CosineAnnealingWarmRestarts(3, 2, 0.001)',
    { name: 'cosine-restarts', period: 3, multiplier: 2, minimum: 0.001 },
    [
      0.1, 0.07525, 0.02575, 0.1, 0.09336825748732973, 0.07525, 0.0505, 0.02575, 0.007631742512670284, 0.1, 0.09831332840130888,
      0.09336825748732973,
    ],
  ],
  [
    'CosineAnnealingWarmRestarts(4)',
    { name: 'cosine-restarts', period: 4 },
    [0.1, 0.08535533905932738, 0.05, 0.014644660940672627, 0.1, 0.08535533905932738, 0.05, 0.014644660940672627, 0.1],
  ],
  [
    'OneCycleLR(total 10)',
    { name: 'one-cycle', totalSteps: 10 },
    [
      0.004, 0.052, 0.1, 0.09504846320134738, 0.0811745653949763, 0.06112620219362893, 0.03887419780637107, 0.0188258346050237,
      0.004951936798652629, 4e-7,
    ],
  ],
  [
    'OneCycleLR(total 10, linear, 10, 100)',
    { name: 'one-cycle', totalSteps: 10, anneal: 'linear', initialDivisor: 10, finalDivisor: 100 },
    [
      0.01, 0.055, 0.1, 0.08572857142857143, 0.07145714285714286, 0.05718571428571429, 0.042914285714285724, 0.02864285714285715,
      0.014371428571428577, 0.0001,
    ],
  ],
]

describe('learning-rate schedules', () => {
  it.each(frozen)('%s', (_title, schedule, expected) => {
    rates(schedule, expected.length).forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i]!, 12)
    })
  })

  it('ReduceLROnPlateau(patience 2, cooldown 1)', () => {
    const losses = [1, 0.9, 0.95, 0.94, 0.93, 0.92, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.49999]
    const expected = [0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.0001]
    rates({ name: 'plateau', patience: 2, cooldown: 1 }, 15, { losses }).forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i]!, 12)
    })
  })

  it('warm-up then cosine is SequentialLR(LinearLR(0.25, 1, 4), CosineAnnealingLR(6))', () => {
    const expected = [0.025, 0.04375, 0.0625, 0.08125, 0.1, 0.09330127018922195, 0.075, 0.05, 0.025000000000000012, 0.006698729810778065]
    rates({ name: 'cosine' }, 10, { warmUpSteps: 4 }).forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i]!, 12)
    })
  })

  it('every schedule gives finite rates above or at 0 over whole runs, even of one step', () => {
    const extra: Record<string, object> = {
      step: { stepSize: 2 },
      multistep: { milestones: [1] },
      'cosine-restarts': { period: 1 },
    }
    for (const name of Object.keys(schedules))
      for (const n of [1, 2, 3, 50])
        for (const warmUpSteps of [0, 1, 5]) {
          const got = rates({ name, ...extra[name] }, n, { warmUpSteps })
          expect(
            got.every((r) => Number.isFinite(r) && r >= 0),
            `${name} ${n} ${warmUpSteps}: ${got}`,
          ).toBe(true)
        }
  })

  it('the table has a row for every option object', () => {
    const names = scheduleOptions.options.map((o) => o.shape.name.value).sort()
    expect(Object.keys(schedules).sort()).toEqual(names)
  })
})
