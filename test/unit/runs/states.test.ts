import { describe, expect, it } from 'vitest'
import { planFailure } from '../../../src/runs/attempt.js'
import { assertMove, isTerminal, legalMoves } from '../../../src/runs/states.js'
import { EspalierError } from '../../../src/util/error.js'
import { storable, storableJson } from '../../../src/util/storable.js'
import { runStates } from '../../../src/vocabulary.js'

describe('moves of a run', () => {
  // The specification, written a second time as arrows.
  const arrows = new Set([
    'pending running',
    'pending cancelled',
    'running completed',
    'running failed',
    'running cancelled',
    'running paused',
    'paused running',
    'paused cancelled',
    // a retry is a new attempt
    'running pending',
    'failed pending',
    'cancelled pending',
  ])
  it('are exactly these, for every pair of states', () => {
    for (const from of runStates)
      for (const to of runStates) {
        if (arrows.has(`${from} ${to}`)) expect(() => assertMove('r', from, to)).not.toThrow()
        else expect(() => assertMove('r', from, to), `${from} ${to}`).toThrow(EspalierError)
      }
  })
  it('are named when one is refused', () => {
    expect(() => assertMove('r1', 'pending', 'completed')).toThrow(
      'Run r1 is pending and cannot become completed; it can become running, cancelled',
    )
    expect(() => assertMove('r1', 'completed', 'running')).toThrow('it has ended for good')
  })
  it('lead from every state to an end', () => {
    for (const from of runStates) {
      const reached = new Set([from])
      for (const state of reached) for (const next of legalMoves[state]) reached.add(next)
      expect([...reached].some(isTerminal)).toBe(true)
    }
  })
})

describe('planFailure', () => {
  const fresh = { failures: 0, retryLimit: 2 }
  it('tries again what may pass, later each time', () => {
    expect(planFailure(new Error('crash'), fresh, 5)).toMatchObject({ to: 'pending', details: { delaySeconds: 5, isFailure: true } })
    expect(planFailure(new EspalierError('UNAVAILABLE', 'x'), { ...fresh, failures: 1 }, 5).details.delaySeconds).toBe(10)
    expect(planFailure(new Error('crash'), { failures: 20, retryLimit: 99 }, 5).details.delaySeconds).toBe(900)
  })
  it('ends what cannot pass, and what has been tried enough', () => {
    const error = new EspalierError('BAD_INPUT', 'wrong', { remedy: 'mend it' })
    expect(planFailure(error, fresh, 5)).toMatchObject({
      to: 'failed',
      details: { error: { code: 'BAD_INPUT', message: 'wrong', remedy: 'mend it' } },
    })
    expect(planFailure('thrown text', { failures: 2, retryLimit: 2 }, 5)).toMatchObject({
      to: 'failed',
      details: { error: { code: 'INTERNAL', message: 'thrown text' } },
    })
  })
})

describe('storable', () => {
  it('replaces only what Postgres cannot keep', () => {
    expect(storable('a\0b\ud800c')).toBe('a\ufffdb\ufffdc')
    expect(storable('naïve 😀\n')).toBe('naïve 😀\n')
    expect(JSON.parse(storableJson({ 'k\0': ['\ud83d', { deep: '\0' }], n: 1, none: null }))).toEqual({
      'k\ufffd': ['\ufffd', { deep: '\ufffd' }],
      n: 1,
      none: null,
    })
  })
})
