import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanText, movedSpan } from '../../../../src/datasets/enhancement/clean-text.js'

const all = { trim: true, collapse: true, control: true }
const hidden = /(?!\s)\p{Cc}|[\u200b\ufeff]/gu
/** The same by regular expressions, without positions. */
const oracle = (text: string) => text.replace(hidden, '').replace(/\s+/g, ' ').trim()

const messy = fc
  .array(fc.constantFrom('a', 'Bern', 'é', '😀', ' ', '  ', '\t', '\n', '\u00a0', '\u0000', '\u200b', '.', '\ufeff', '\u0085'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''))

describe('cleaning a text', () => {
  it('takes off what nobody sees, and answers null where there is nothing to do', () => {
    expect(cleanText('  a \t b\u0000c ', all)!.text).toBe('a bc')
    expect(cleanText('a b', all)).toBeNull()
    expect(cleanText(' a  b ', { trim: false, collapse: true, control: true })!.text).toBe(' a b ')
    expect(cleanText(' a  b ', { trim: true, collapse: false, control: true })!.text).toBe('a  b')
    expect(cleanText('a\u0007b', { ...all, control: false })).toBeNull()
  })

  it('is what regular expressions make of it, and clean once is clean', () => {
    fc.assert(
      fc.property(messy, (text) => {
        const cleaned = cleanText(text, all)?.text ?? text
        expect(cleaned).toBe(oracle(text))
        expect(cleanText(cleaned, all)).toBeNull()
      }),
      { numRuns: 500 },
    )
  })

  it("keeps every span's text: a span moved is the span cleaned", () => {
    fc.assert(
      fc.property(
        messy,
        fc.nat(),
        fc.nat(),
        fc.record({ trim: fc.boolean(), collapse: fc.boolean(), control: fc.boolean() }),
        (text, a, b, options) => {
          const [start, end] = [a % (text.length + 1), b % (text.length + 1)].sort((x, y) => x - y) as [number, number]
          const cleaned = cleanText(text, options)
          if (!cleaned) return
          const span = movedSpan(cleaned, start, end)
          const seen = (part: string) => (options.control ? part.replace(hidden, '') : part).trim()
          const inside = seen(text.slice(start, end))
          const expected = options.collapse ? inside.replace(/\s+/g, ' ') : inside
          expect(span ? cleaned.text.slice(...span) : '').toBe(expected)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
