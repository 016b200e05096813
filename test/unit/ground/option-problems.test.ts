import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { trainGgnnOptions } from '../../../src/training/jobs/ranking-job.js'
import { problemsOfOptions } from '../../../src/util/option-problems.js'

const schema = z.strictObject({
  rate: z.number().positive().default(1),
  mode: z.enum(['fast', 'safe']).default('safe'),
  gates: z.array(z.strictObject({ metric: z.string(), threshold: z.number() })).default([]),
  shape: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('circle'), radius: z.number() }),
    z.strictObject({ name: z.literal('box'), width: z.number().default(1), height: z.number().default(1) }),
  ]),
})
const told = (given: unknown, of: z.ZodType = schema) => {
  const parsed = of.safeParse(given, { reportInput: true })
  return parsed.success
    ? []
    : problemsOfOptions('draw', of, given, parsed.error).map(({ where, found, expected, suggestion }) => [
        where,
        found,
        expected,
        suggestion,
      ])
}
const shape = { name: 'box' }

describe('problems of options', () => {
  it('say what may stand there, and what was probably meant', () => {
    expect(told({ shape, mode: 'fsat' })).toEqual([['draw.mode', '"fsat"', 'one of fast, safe', 'Did you mean "fast"?']])
    expect(told({ shape: { name: 'boxx' } })).toEqual([['draw.shape.name', '"boxx"', 'one of circle, box', 'Did you mean "box"?']])
    expect(told({ shape, rate: 0 })).toEqual([['draw.rate', '0', 'number to be >0', undefined]])
    expect(told({ shape, rate: Number.NaN })).toEqual([['draw.rate', 'NaN', 'number', undefined]])
    expect(told({ at: 'yesterday' }, z.object({ at: z.iso.datetime() }))).toEqual([
      ['draw.at', '"yesterday"', 'a valid ISO datetime', undefined],
    ])
    expect(told({})).toEqual([['draw.shape', 'nothing', expect.any(String), undefined]])
  })
  it('name an unknown member beside those of its own place: in lists, and in the alternative that was chosen', () => {
    expect(told({ shape, gates: [{ metric: 'mrr', threshold: 1, treshold: 1 }] })).toEqual([
      ['draw.gates.0', 'treshold', 'one of metric, threshold', 'Did you mean "threshold"?'],
    ])
    expect(told({ shape: { name: 'box', heigth: 2 } })).toEqual([
      ['draw.shape', 'heigth', 'one of name, width, height', 'Did you mean "height"?'],
    ])
    expect(told({ shape: { name: 'circle', radius: 1, width: 2 } })[0]![2]).toBe('one of name, radius')
  })
  it('of an optimizer, before anything is queued', () => {
    const problems = (optimizer: object) => told({ training: { optimizer } }, trainGgnnOptions)
    expect(problems({ name: 'adm' })).toEqual([
      ['draw.training.optimizer.name', '"adm"', 'one of adam, adamw, sgd, rmsprop', 'Did you mean "adam"?'],
    ])
    expect(problems({ name: 'sgd', nesterof: true })).toEqual([
      ['draw.training.optimizer', 'nesterof', 'one of momentum, nesterov, weightDecay, name', 'Did you mean "nesterov"?'],
    ])
    expect(problems({ name: 'adam', beta1: 1 })).toEqual([['draw.training.optimizer.beta1', '1', 'number to be <1', undefined]])
    const parsed = trainGgnnOptions.parse({ training: { optimizer: { name: 'sgd', momentum: 0.5 } } })
    expect(parsed.training.optimizer).toEqual({ name: 'sgd', momentum: 0.5, nesterov: false, weightDecay: 0 })
  })
})
