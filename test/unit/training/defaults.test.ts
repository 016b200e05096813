import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseJobOptions } from '../../../src/jobs.js'
import { withDefaults } from '../../../src/training/jobs/defaults.js'

describe('defaults of a job', () => {
  const schema = z.strictObject({ a: z.number().default(1).describe('the a'), b: z.string().default('x'), c: z.number().optional() })
  const own = z.strictObject({ part: withDefaults(schema, { a: 5 }) })
  it('hold each by itself, whichever others are given', () => {
    expect(own.parse({})).toEqual({ part: { a: 5, b: 'x' } })
    expect(own.parse({ part: { b: 'y' } })).toEqual({ part: { a: 5, b: 'y' } })
    expect(own.parse({ part: { a: 2 } })).toEqual({ part: { a: 2, b: 'x' } })
    expect(schema.parse({})).toEqual({ a: 1, b: 'x' })
  })
  it('have defaults of their own', () => {
    const nested = z.strictObject({
      curve: z.strictObject({ name: z.string(), low: z.number().default(0) }).default({ name: 'flat', low: 0 }),
    })
    expect(withDefaults(nested, { curve: { name: 'bent' } }).parse({})).toEqual({ curve: { name: 'bent', low: 0 } })
  })
  it('keep strictness, checks and descriptions', () => {
    expect(own.safeParse({ part: { d: 1 } }).success).toBe(false)
    expect(own.safeParse({ part: { a: 'no' } }).success).toBe(false)
    expect(JSON.stringify(z.toJSONSchema(own, { io: 'input' }))).toMatch(/"the a"/)
  })
  it('of a training: naming one option leaves the others', () => {
    const all = parseJobOptions('train-ggnn', {})
    const seeded = parseJobOptions('train-ggnn', { training: { seed: 3 }, model: { hidden: 8 } })
    expect(seeded).toEqual({ ...all, training: { ...all.training, seed: 3 }, model: { ...all.model, hidden: 8 } })
    expect(all.training.monitor).toBe('mrr')
    const node = { readout: 'node', datasetVersionId: 'x' } as const
    expect(parseJobOptions('train-ggnn', { ...node, training: { seed: 1 } }).training.epochs).toBe(
      parseJobOptions('train-ggnn', node).training.epochs,
    )
  })
  it('an unknown option is named with what was meant, however deep', () => {
    const refused = (options: unknown) => {
      try {
        parseJobOptions('train-ggnn', options)
        return null
      } catch (thrown) {
        return (thrown as { problems: { where: string; found: string; suggestion?: string }[] }).problems[0]
      }
    }
    expect(refused({ traning: {} })).toMatchObject({ where: 'train-ggnn', found: 'traning', suggestion: 'Did you mean "training"?' })
    expect(refused({ training: { epoch: 1 } })).toMatchObject({ where: 'train-ggnn.training', suggestion: 'Did you mean "epochs"?' })
    expect(refused({ glean: { daysback: 1 } })).toMatchObject({ suggestion: 'Did you mean "daysBack"?' })
    expect(refused({ readout: 'graph', datasetVersionId: 'x', model: { hiden: 1 } })).toMatchObject({
      suggestion: 'Did you mean "hidden"?',
    })
  })
})
