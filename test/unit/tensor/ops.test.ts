import { describe, expect, it } from 'vitest'
import { opNames } from '../../../src/tensor/ops/names.js'
import { tolerances } from '../../../src/tensor/ops/row.js'
import { ops } from '../../../src/tensor/ops.js'
import { checkGradient } from './gradient-check.js'
import { opCases } from './op-cases.js'
import { fuzzGradients } from './op-fuzz.js'
import { graphsOf } from './op-run.js'

describe('the op table', () => {
  it('has one row per name, with every column', () => {
    expect(Object.keys(ops).sort()).toEqual([...opNames].sort())
    for (const [name, row] of Object.entries(ops)) {
      expect(Object.keys(row).sort(), name).toEqual(['gradient', 'infer', 'onnx', 'summary', 'tfjs', 'tolerance'])
      expect(Object.values(tolerances), `tolerance of ${name}`).toContain(row.tolerance)
      if (typeof row.gradient !== 'function') expect(row.gradient.none.length, `${name} says why it has no gradient`).toBeGreaterThan(10)
    }
  })
  it('has cases for every row, each of which uses it', () => {
    expect(Object.keys(opCases).sort()).toEqual([...opNames].sort())
    for (const [name, list] of Object.entries(opCases)) {
      expect(list.length, name).toBeGreaterThan(0)
      for (const c of list) expect(graphsOf(c, c.float ?? 'float64').result.nodes.map((n) => n.op)).toContain(name)
    }
  })
})

describe('gradients agree with central differences', () => {
  for (const [name, list] of Object.entries(opCases))
    it(`${name} (${list.length})`, async () => {
      for (const [i, c] of list.entries()) {
        const { worst, tolerance, elements } = await checkGradient(c, i + 1)
        expect(elements).toBeGreaterThan(0)
        expect(worst, `case ${i}: ${JSON.stringify(c.shapes)}`).toBeLessThan(tolerance)
      }
    })
  fuzzGradients(Number(process.env['ESPALIER_TEST_FUZZ'] ?? 40))
})
