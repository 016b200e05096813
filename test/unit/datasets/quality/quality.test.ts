import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateLabelNoise } from '../../../../src/datasets/noise/label-noise.js'
import { normalizedEntropy } from '../../../../src/datasets/quality/balance.js'
import { MovingTypeTokenRatio } from '../../../../src/datasets/quality/diversity.js'
import { qualityMetrics } from '../../../../src/datasets/quality/index.js'
import { qualityReport } from '../../../../src/datasets/quality/report.js'
import { minhash, normalizeText, shingles, signatureSize } from '../../../../src/datasets/similarity/minhash.js'
import { NearTexts } from '../../../../src/datasets/similarity/near-texts.js'
import { parseValidationOptions } from '../../../../src/datasets/validation/options.js'
import { validateRows } from '../../../../src/datasets/validation/validate.js'
import { seeded } from '../../../../src/util/random.js'
import { describeIf, sharedData } from '../../../support/need.js'

const grams = new Map<string, Set<string>>()
const gramsOf = (text: string): Set<string> => {
  if (!grams.has(text)) grams.set(text, shingles(normalizeText(text)))
  return grams.get(text)!
}
const jaccard = (a: string, b: string): number => {
  const [left, right] = [gramsOf(a), gramsOf(b)]
  if (Math.min(left.size, right.size) < 0.5 * Math.max(left.size, right.size)) return 0
  const both = [...left].filter((gram) => right.has(gram)).length
  return both / (left.size + right.size - both)
}
const quality = async (rows: object[], options = {}) =>
  (
    await validateRows(
      rows.map((row) => ({ row })),
      'labeled-text',
      parseValidationOptions(options),
    )
  ).quality
const labeled = (text: string, intent: string, more: object = {}) => ({ text, expected_intent: intent, expected_sentiment: 'ok', ...more })

describe('a signature', () => {
  it('estimates the Jaccard similarity of the 5-grams', () => {
    const rng = seeded(1)
    const words = Array.from({ length: 60 }, () => Array.from({ length: 6 }, () => String.fromCharCode(97 + rng.integer(26))).join(''))
    const [one, two] = [new Uint32Array(signatureSize), new Uint32Array(signatureSize)]
    let [bias, squares, n] = [0, 0, 0]
    for (let round = 0; round < 300; round++) {
      const text = rng.sample(words, 12)
      const other = text.map((word) => (rng.next() < 0.2 ? words[rng.integer(60)]! : word))
      minhash(text.join(' '), one)
      minhash(other.join(' '), two)
      const estimate = one.filter((value, k) => value === two[k]).length / signatureSize
      const error = estimate - jaccard(text.join(' '), other.join(' '))
      bias += error
      squares += error * error
      n++
    }
    // 64 minima: standard error at most .0625
    expect(Math.abs(bias / n)).toBeLessThan(0.02)
    expect(Math.sqrt(squares / n)).toBeLessThan(0.0625 * 1.15)
  })
})

describe('near-duplicates', () => {
  const find = (texts: string[], threshold = 0.8) => {
    const near = new NearTexts({ threshold })
    for (const text of texts) near.add(text)
    return [...near.duplicates()]
  }

  it('are found among all rows, equal ones for sure, each with an earlier one', () => {
    expect(find(['Pay the bill', 'something else', ' pay  the BILL ', 'x', 'x', '', ''])).toEqual([
      { row: 3, of: 1, similarity: 1 },
      { row: 5, of: 4, similarity: 1 },
    ])
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a long text to pay the bill', 'quite another thing', 'x', 'y'), { maxLength: 30 }), (texts) => {
        const repeats = texts.flatMap((text, i) => (texts.indexOf(text) < i ? [i + 1] : []))
        expect(find(texts).map(({ row }) => row)).toEqual(repeats)
      }),
      { numRuns: 50 },
    )
  })

  it('are those that the exact similarity calls so, but for what lies at the threshold', () => {
    const rng = seeded(7)
    const words = Array.from({ length: 400 }, () =>
      Array.from({ length: 3 + rng.integer(6) }, () => String.fromCharCode(97 + rng.integer(26))).join(''),
    )
    const texts: string[] = []
    for (let i = 0; i < 600; i++) {
      const base =
        i % 3 && texts.length > 0
          ? texts[rng.integer(texts.length)]!.split(' ')
          : Array.from({ length: 14 }, () => words[rng.integer(400)]!)
      texts.push(base.map((word) => (rng.next() < 0.04 ? words[rng.integer(400)]! : word)).join(' '))
    }
    const found = new Map(find(texts).map(({ row, of }) => [row - 1, of - 1]))
    let [clear, missed, wrong] = [0, 0, 0]
    texts.forEach((text, i) => {
      const best = Math.max(0, ...texts.slice(0, i).map((other) => jaccard(text, other)))
      if (best >= 0.95) {
        clear++
        if (!found.has(i)) missed++
      }
      if (found.has(i) && jaccard(text, texts[found.get(i)!]!) < 0.6) wrong++
    })
    expect(clear).toBeGreaterThan(80)
    expect(missed / clear).toBeLessThan(0.02)
    expect(wrong).toBe(0)
  })
})

describe('the dimensions', () => {
  it('weigh one in all, and those that cannot be judged take no part', () => {
    expect(qualityMetrics.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1)
    const dimension = (score: number | null) => ({ score, sampleSize: 1, of: 'rows' })
    const judged = [
      { name: 'a', weight: 0.25, dimension: dimension(1) },
      { name: 'b', weight: 0.25, dimension: dimension(0.5) },
      { name: 'c', weight: 0.5, dimension: dimension(null) },
    ]
    expect(qualityReport(10, 10, judged)).toMatchObject({ overall: 0.75, band: 'good' })
    expect(qualityReport(10, 4, judged).band).toBe('invalid')
    const bands = [0.8, 0.79, 0.6, 0.4, 0.39].map(
      (score) => qualityReport(1, 1, [{ name: 'a', weight: 1, dimension: dimension(score) }]).band,
    )
    expect(bands).toEqual(['excellent', 'good', 'good', 'fair', 'poor'])
  })

  it('balance: 90/10 is .469, one class 0, equal ones 1', async () => {
    expect(normalizedEntropy([90, 10])).toBeCloseTo(0.469, 3)
    expect([normalizedEntropy([7]), normalizedEntropy([5, 5, 5])]).toEqual([0, 1])
    const rows = Array.from({ length: 100 }, (_, i) => labeled(`text of number ${i} ${i * 7919}`, i < 90 ? 'a' : 'b'))
    const { balance } = (await quality(rows)).dimensions
    expect(balance!.details!['entropy']).toEqual({ intent: expect.closeTo(0.469, 3), sentiment: 0 })
    expect(balance).toMatchObject({ score: expect.closeTo(0.2345, 3), sampleSize: 100, weight: 0.1 })
  })

  it('completeness: rows with all that is required', async () => {
    const rows = [labeled('a text to read', 'a'), labeled('another one', ''), { text: 'no labels at all' }, labeled('  ', 'a')]
    expect((await quality(rows)).dimensions['completeness']).toMatchObject({ score: 0.25, sampleSize: 4 })
  })

  it('consistency: pairs of near-duplicates that agree, over all rows', async () => {
    const filler = Array.from({ length: 500 }, (_, i) => labeled(`${i * 104729} is the number of row ${i}`, 'n'))
    const rows = [
      labeled('please pay my bill', 'pay'),
      ...filler,
      labeled('Please pay my bill', 'pay'),
      labeled('please pay  my bill', 'ask'),
    ]
    const { consistency } = (await quality(rows)).dimensions
    // of three pairs one agrees in the intent, all in the sentiment
    expect(consistency).toMatchObject({
      sampleSize: 3,
      score: expect.closeTo((1 / 3 + 1) / 2, 6),
      details: { agreement: { intent: expect.closeTo(1 / 3, 6), sentiment: 1 } },
    })
    expect((await quality(filler)).dimensions['consistency']).toMatchObject({ score: 1, sampleSize: 0 })
  })

  it('diversity: the mean of the ratios of all windows', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 160 }), (tokens) => {
        const ratio = new MovingTypeTokenRatio()
        for (const token of tokens) ratio.add(token)
        const windows = tokens.length < 50 ? [tokens] : Array.from({ length: tokens.length - 49 }, (_, at) => tokens.slice(at, at + 50))
        const expected = windows.reduce((sum, window) => sum + new Set(window).size / window.length, 0) / windows.length
        if (tokens.length === 0) expect(ratio.ratio()).toBeNull()
        else expect(ratio.ratio()).toBeCloseTo(expected, 9)
      }),
      { numRuns: 200 },
    )
  })

  it('complexity: short words in short sentences are 0, long ones 1', async () => {
    const of = async (text: string) => (await quality([labeled(text, 'a')])).dimensions['complexity']!.score
    expect(await of('I. A. O.')).toBe(0)
    expect(await of(`${Array.from({ length: 30 }, () => 'incomprehensible').join(' ')}.`)).toBe(1)
    expect(await of('We go to the house. They stay here.')).toBeGreaterThan(0)
  })

  it('accuracy stands beside what the rows say of themselves, and needs classes to judge', async () => {
    const rows = [labeled('pay the bill', 'a', { confidence: 0.5 }), labeled('go home now', 'b', { confidence: 0.7 })]
    expect((await quality(rows)).dimensions['accuracy']).toMatchObject({ score: null, details: { mean_confidence: expect.closeTo(0.6) } })
  })
})

describe('label noise', () => {
  const topics = {
    pay: 'bill invoice money card account charge',
    travel: 'flight train ticket hotel city map',
    food: 'pizza soup bread dinner cook recipe',
  }
  const examples = (n: number) => {
    const rng = seeded(2)
    const names = Object.keys(topics) as (keyof typeof topics)[]
    return Array.from({ length: n }, (_, i) => {
      const label = names[i % 3]!
      return { text: `${rng.sample(topics[label].split(' '), 3).join(' ')} please number ${rng.integer(9)}`, label: label as string }
    })
  }

  it('names the labels that were changed, and no others', async () => {
    const rows = examples(240)
    const clean = (await estimateLabelNoise(rows, 0))!
    expect(clean).toMatchObject({ noise: 0, examples: 240, classes: 3, agreement: 1 })
    const changed = [3, 50, 101, 160, 200]
    const noisy = rows.map((row, i) => (changed.includes(i) ? { ...row, label: row.label === 'pay' ? 'food' : 'pay' } : row))
    const found = (await estimateLabelNoise(noisy, 0))!
    expect(found.suspects.map(({ index }) => index).sort((a, b) => a - b)).toEqual(changed)
    expect(found.suspects.every(({ index, suggested }) => suggested === rows[index]!.label)).toBe(true)
    expect(await estimateLabelNoise(noisy, 0)).toEqual(found)
    expect(await estimateLabelNoise(rows.slice(0, 2), 0)).toBeNull()
  })
})

describeIf(sharedData, 'no shared data', 'label noise in real intents', () => {
  it('5 % of the labels replaced are found, far beyond chance', async () => {
    const file = fs.readFileSync(path.join(sharedData!, 'intents/clinc150-validation.jsonl'), 'utf8')
    const rows = file
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; intent: string })
    const intents = [...new Set(rows.map(({ intent }) => intent))].sort().slice(0, 40)
    const chosen = rows.filter(({ intent }) => intents.includes(intent))
    const rng = seeded(11)
    const changed = new Set(rng.sample([...chosen.keys()], Math.round(chosen.length * 0.05)))
    const noisy = chosen.map(({ text, intent }, i) => ({
      text,
      label: changed.has(i)
        ? rng.sample(
            intents.filter((other) => other !== intent),
            1,
          )[0]!
        : intent,
    }))
    const { suspects, noise } = (await estimateLabelNoise(noisy, 0))!
    const hits = suspects.filter(({ index }) => changed.has(index)).length
    expect(hits / suspects.length).toBeGreaterThan(0.7)
    expect(hits / changed.size).toBeGreaterThan(0.7)
    expect(noise).toBeGreaterThan(0.03)
    expect(noise).toBeLessThan(0.08)
  })
})
