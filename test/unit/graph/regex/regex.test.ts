import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Budget } from '../../../../src/graph/regex/automaton.js'
import { checkRegex } from '../../../../src/graph/regex/check.js'
import { parseRegex } from '../../../../src/graph/regex/parse.js'
import { planRegex } from '../../../../src/graph/regex/plan.js'
import { RegexRefusal } from '../../../../src/graph/regex/syntax.js'
import { matchByBacktracking } from './backtracking.js'
import { acceptedPatterns, anyPattern, refusedPatterns, textsFor } from './patterns.js'

const planOf = (pattern: string) => {
  try {
    return planRegex(parseRegex(pattern), new Budget())
  } catch (thrown) {
    if (thrown instanceof RegexRefusal) return null
    throw thrown
  }
}

describe('checkRegex', () => {
  it.each(acceptedPatterns)('lets %s through', (pattern, planned) => {
    const short = (text: string) => text.replaceAll('[^\\x{a}\\x{d}\\x{85}\\x{2028}-\\x{2029}]', '.').replaceAll('0-9A-Z_a-z', '\\w')
    const checked = checkRegex(pattern, 'neo4j')
    expect(checked.ok ? short(checked.text) : checked).toBe(planned)
    const plain = checkRegex(pattern, 'grafeo')
    expect(plain).toMatchObject({ ok: true, text: expect.not.stringMatching(/\(\?>|[*+]\+/) })
  })

  it.each(refusedPatterns)('refuses %s', (pattern, says) => {
    for (const engine of ['neo4j', 'grafeo'] as const) {
      const checked = checkRegex(pattern, engine)
      if (checked.ok) throw new Error(`let through as ${checked.text}`)
      expect(`${checked.expected}. ${checked.suggestion}`).toContain(says)
    }
  })

  it('means what it meant, and reads no text more often than it says, whatever the pattern and the text', () => {
    let accepted = 0
    let cut = 0
    fc.assert(
      fc.property(anyPattern, fc.infiniteStream(fc.nat()), (pattern, numbers) => {
        const plan = planOf(pattern)
        if (!plan) return
        accepted++
        if (plan.text.includes('(?>')) cut++
        const plain = checkRegex(pattern, 'grafeo')
        const [oracle, other] = [
          new RegExp(`^(?:${pattern})$`),
          new RegExp(`^(?:${plain.ok ? plain.text : ''})$`.replace(/\\x\{/g, '\\u{'), 'u'),
        ]
        for (const text of textsFor(pattern, () => numbers.next().value)) {
          const { matches, reads } = matchByBacktracking(plan.text, text, plan.ways * (text.length + 1))
          // what JavaScript may need hours for is not asked
          if (text.length < 30) expect(matches, `${pattern} as ${plan.text} on ${JSON.stringify(text)}`).toBe(oracle.test(text))
          if (text.length < 30) expect(other.test(text), `${pattern} plainly on ${JSON.stringify(text)}`).toBe(matches)
          expect(reads).toBeLessThanOrEqual(plan.ways * (text.length + 1))
        }
      }),
      { numRuns: 2_000 },
    )
    // of this many, enough to mean something
    expect(accepted).toBeGreaterThan(400)
    expect(cut).toBeGreaterThan(60)
  })

  it('looks at no pattern for long, and at no query with many', () => {
    const names = Array.from({ length: 150 }, (_, i) => `${String.fromCharCode(97 + (i % 26))}${i}_table`).join('|')
    expect(checkRegex(names, 'neo4j')).toMatchObject({ ok: true })
    expect(checkRegex(`.*_(${names.slice(0, 300)}).*`, 'neo4j')).toMatchObject({ ok: true })
    for (const heavy of ['.*a.{1,300}b', '(a?b?c?d?){90}', '.*(a|b).{30}', `(${'a?'.repeat(900)})`])
      expect(checkRegex(heavy, 'neo4j'), heavy).toMatchObject({ ok: false, suggestion: expect.any(String) })
    const budget = new Budget()
    const answers = Array.from({ length: 40 }, () => checkRegex('.*a.{1,300}b', 'neo4j', budget))
    expect(answers.at(-1)).toMatchObject({ ok: false, expected: 'patterns that are looked at in short time' })
  })

  it('never throws, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...'a|b|1|_|.|*|+|?|{2}|{1,}|{|}|(|)|(?:|(?i)|(?=|[|]|[^|-|^|$|\\d|\\w|\\|\\1|&&|ß|\u{1F600}|\\x41|,'.split('|'),
      '|',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const checked = checkRegex(parts.join(''), 'neo4j')
        if (checked.ok) matchByBacktracking(checked.text, 'ab1_a', 100_000)
        else expect(checked.suggestion).not.toBe('')
      }),
      { numRuns: 5_000 },
    )
  })
})
