import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { fitOperations } from '../../../../src/datasets/operations/fit.js'
import { buildOperations } from '../../../../src/datasets/operations/fitted.js'
import type { TableRow } from '../../../../src/datasets/operations/operation.js'
import { foldOf } from '../../../../src/datasets/operations/target-encoding.js'

// made by fixtures/scikit_learn.py
const frozen = JSON.parse(readFileSync(path.join(import.meta.dirname, '../fixtures/scikit-learn.json'), 'utf8'))
const table = (numbers: number[][], colours: string[]): TableRow[] =>
  numbers.map((values, i) => ({
    ...Object.fromEntries(frozen.names.map((name: string, column: number) => [name, values[column]!])),
    colour: colours[i]!,
    y: frozen.y[i] ?? null,
    won: frozen.won[i] ?? null,
  }))
const train = table(frozen.train, frozen.colour)
const fresh = table(frozen.new, frozen.newColour)

const run = async (step: object) => {
  const fitted = await fitOperations(() => train, [step])
  const apply = buildOperations(fitted)
  return {
    learned: fitted.steps[0]!.fitted,
    train: train.map((row, number) => apply(row, number)!),
    fresh: fresh.map((row) => apply(row)!),
  }
}

const expectClose = (found: unknown[][], expected: number[][], digits = 10) => {
  expect(found.length).toBe(expected.length)
  expected.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(found[i]![j]).toBeCloseTo(value, digits)
    })
  })
}
const pick = (rows: TableRow[], columns: string[]) => rows.map((row) => columns.map((column) => row[column]))

describe(`beside ${frozen.by}`, () => {
  it.each([
    ['minMax', { op: 'min-max', range: [-1, 2] }, 10],
    ['zScore', { op: 'z-score' }, 10],
    ['robust', { op: 'robust' }, 10],
    ['robustWide', { op: 'robust', between: [10, 90] }, 10],
    ['quantile', { op: 'quantile', quantiles: 20 }, 10],
    // the ends are 5.1993 there and here, but for the last bits of 1e-7
    ['quantileNormal', { op: 'quantile', quantiles: 20, distribution: 'normal' }, 6],
  ] as const)('%s, of training rows, of rows beyond them, and of a constant column', async (name, step, digits) => {
    const { train, fresh } = await run({ ...step, columns: frozen.names })
    expectClose(pick(train, frozen.names), frozen[name].train, digits)
    expectClose(pick(fresh, frozen.names), frozen[name].new, digits)
  })

  it('one-hot encodes, an unseen category as zeros', async () => {
    const { fresh, train } = await run({ op: 'one-hot', columns: ['colour'] })
    const columns = frozen.oneHot.categories.map((category: string) => `colour=${category}`)
    expect(pick(fresh, columns)).toEqual(frozen.oneHot.new)
    expect(Object.keys(train[0]!)).not.toContain('colour')
  })

  it('numbers labels', async () => {
    const { train, fresh } = await run({ op: 'label', columns: ['colour'] })
    expect(train.map((row) => row['colour'])).toEqual(frozen.label)
    expect(fresh[1]!['colour']).toBe(-1)
  })

  it.each([
    ['targetAuto', { target: 'y', smooth: 'auto' }],
    ['targetSmooth', { target: 'y', smooth: 10 }],
    ['targetBinary', { target: 'won', positive: 1 }],
  ] as const)('%s: training rows out of fold, others from all of them', async (name, step) => {
    expect(train.map((_, i) => foldOf(i, { folds: 5, seed: 3 }))).toEqual(frozen[name].folds)
    const { train: encoded, fresh } = await run({ op: 'target-encode', columns: ['colour'], seed: 3, ...step })
    expectClose(
      pick(encoded, ['colour']),
      frozen[name].train.map((x: number) => [x]),
    )
    expectClose(
      pick(fresh, ['colour']),
      frozen[name].new.map((x: number) => [x]),
    )
  })

  it('multiplies out polynomials, in the same order', async () => {
    const { train } = await run({ op: 'polynomial', columns: ['a', 'b'], degree: 3 })
    const names = frozen.polynomial.names.map((name: string) => name.replaceAll(' ', '*'))
    expectClose(pick(train.slice(0, 5), names), frozen.polynomial.train)
    expect(Object.keys(train[0]!).filter((name) => /[*^]/.test(name))).toEqual(names.slice(2))
  })

  it('selects by variance', async () => {
    const { learned, train } = await run({ op: 'select-variance', columns: frozen.names, threshold: 3.113 })
    const { scores } = learned as { scores: Record<string, number> }
    frozen.names.forEach((name: string, i: number) => {
      expect(scores[name]).toBeCloseTo(frozen.variance.scores[i], 10)
    })
    expect(frozen.names.filter((name: string) => name in train[0]!)).toEqual(frozen.variance.kept)
  })

  it('selects by correlation', async () => {
    const { learned } = await run({ op: 'select-correlation', columns: ['a', 'b', 'c'], threshold: 0.5 })
    const { dropped, scores } = learned as { dropped: string[]; scores: Record<string, number> }
    expect(scores['b']).toBeCloseTo(Math.abs(frozen.correlation[0][1]), 10)
    expect(dropped).toEqual(Math.abs(frozen.correlation[0][1]) > 0.5 ? ['b'] : [])
  })

  it('selects by mutual information', async () => {
    const columns = [...frozen.names, 'colour']
    const { learned } = await run({ op: 'select-mutual-information', columns, target: 'won', bins: 4, count: 2 })
    const { dropped, scores } = learned as { dropped: string[]; scores: Record<string, number> }
    for (const column of columns) expect(scores[column]).toBeCloseTo(frozen.mutualInformation[column], 10)
    const best = [...columns].sort((x, y) => frozen.mutualInformation[y] - frozen.mutualInformation[x])
    expect(dropped).toEqual(best.slice(2).sort())
  })

  it('finds principal components', async () => {
    const { learned, fresh } = await run({ op: 'pca', columns: ['a', 'b', 'c'], components: 3 })
    const { components, variances, explained } = learned as Record<string, number[] & number[][]>
    expectClose(components!, frozen.pca.components)
    expectClose([variances!, explained!], [frozen.pca.variances, frozen.pca.explained])
    expectClose(pick(fresh, ['pc1', 'pc2', 'pc3']), frozen.pca.new)
    const whitened = await run({ op: 'pca', columns: ['a', 'b', 'c'], components: 2, whiten: true })
    expectClose(pick(whitened.fresh, ['pc1', 'pc2']), frozen.pca.whitened)
    const share = await run({ op: 'pca', columns: ['a', 'b', 'c'], components: 0.8 })
    expect(Object.keys(share.fresh[0]!).filter((name) => name.startsWith('pc'))).toEqual(['pc1', 'pc2'])
  })
})
