import { describe, expect, it } from 'vitest'
import { nodeKind, score, whole } from '../../../src/cli/commands/flags.js'
import { counted } from '../../../src/cli/output.js'

describe('flags', () => {
  it.each(['0', '0.5', '1', ' 1 '])('%j is a score', (text) => expect(score(text)).toBe(Number(text)))
  it.each(['x', '', ' ', '2', '-0.1', 'NaN', '1e9'])('%j is no score', (text) => expect(() => score(text)).toThrow('from 0 to 1'))

  it.each(['x', '', '0', '1.5', '-3'])('%j is no whole number from 1 on', (text) => expect(() => whole(text)).toThrow('whole number'))

  it('kinds of nodes are taken in any case, and suggested', () => {
    expect(nodeKind('table')).toBe('Table')
    expect(nodeKind('CONTROLMJOB')).toBe('ControlMJob')
    expect(() => nodeKind('tabel')).toThrow('Did you mean "Table"?')
  })
})

it('counts one as one', () => {
  expect([0, 1, 2].map((n) => counted(n, 'error'))).toEqual(['0 errors', '1 error', '2 errors'])
  expect(counted(2, 'child', 'children')).toBe('2 children')
})
