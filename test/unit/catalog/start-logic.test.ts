import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostAlternatives, startLogic, type Wait } from '../../../src/catalog/workflow/start-logic.js'
import { startProperties, workflowOf } from '../../../src/catalog/workflow/workflow.js'

/** `a ( or b ) and c` -> waits. */
function waits(text: string): Wait[] {
  const found: Wait[] = []
  let [andOr, open]: [Wait['andOr'], number] = ['and', 0]
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (word === '(') open++
    else if (word === ')') found.at(-1)!.close = (found.at(-1)!.close ?? 0) + 1
    else if (word === 'and' || word === 'or') andOr = word
    else {
      found.push({ condition: word, odate: 'run-date', andOr, ...(open > 0 ? { open } : {}) })
      open = 0
    }
  }
  return found
}
const names = (text: string) => startLogic(waits(text)).alternatives.map((a) => a.map((w) => w.condition).join(' '))

describe('what a list of in-conditions says', () => {
  it.each([
    ['', ['']],
    ['a', ['a']],
    ['b and a', ['a b']],
    ['a or b', ['a', 'b']],
    ['a and b or c', ['c', 'a b']],
    ['a or b and c', ['a', 'b c']],
    ['( a or b ) and c', ['a c', 'b c']],
    ['a and ( b or c )', ['a b', 'a c']],
    ['( a or b ) and ( a or c )', ['a', 'b c']],
    ['( ( a and b ) )', ['a b']],
    ['a or a', ['a']],
  ])('%s', (text, alternatives) => {
    expect(names(text).sort()).toEqual([...alternatives].sort())
    expect(startLogic(waits(text)).isExact).toBe(true)
  })

  it('keeps the days of one condition apart', () => {
    const logic = startLogic([
      { condition: 'a', odate: 'run-date', andOr: 'and' },
      { condition: 'a', odate: 'previous', andOr: 'and' },
    ])
    expect(logic.alternatives).toEqual([
      [
        { condition: 'a', odate: 'previous' },
        { condition: 'a', odate: 'run-date' },
      ],
    ])
  })

  it('is told leniently where it cannot be read: any one is enough', () => {
    const broken = (list: Wait[]) => {
      const { alternatives, isExact } = startLogic(list)
      expect(isExact).toBe(false)
      expect(alternatives.map((a) => a.map((w) => w.condition))).toEqual(list.map((w) => [w.condition]))
    }
    broken(waits('( a and b'))
    broken(waits('a ) and b'))
    broken([
      { condition: 'a', odate: 'run-date', andOr: 'or' },
      { condition: 'b', odate: 'run-date', andOr: 'and' },
    ])
    const pairs = Array.from({ length: 7 }, (_, i) => `( a${i} or b${i} )`).join(' and ')
    expect(2 ** 7).toBeGreaterThan(mostAlternatives)
    broken(waits(pairs))
    broken([{ condition: 'a', odate: 'run-date', andOr: 'and', open: 100_000, close: 100_000 }])
    // all OR, and all AND, are clear however many
    for (const word of ['or', 'and']) {
      const many = startLogic(waits(Array.from({ length: 500 }, (_, i) => `c${i}`).join(` ${word} `)))
      expect([many.isExact, many.alternatives.length]).toEqual([true, word === 'or' ? 500 : 1])
    }
  })

  it('means what the same expression means as a formula', () => {
    const formula = fc.letrec<{ or: string; atom: string }>((tie) => ({
      or: fc.oneof(
        { depthSize: 'small' },
        tie('atom'),
        fc.tuple(tie('or'), fc.constantFrom('and', 'or'), tie('or')).map((parts) => parts.join(' ')),
        tie('or').map((inner) => `( ${inner} )`),
      ),
      atom: fc.constantFrom('a', 'b', 'c', 'd'),
    })).or
    fc.assert(
      fc.property(formula, (text) => {
        const { alternatives, isExact } = startLogic(waits(text))
        if (!isExact) return
        const javascript = text.replaceAll(' and ', ' && ').replaceAll(' or ', ' || ')
        const isTrue = new Function('a', 'b', 'c', 'd', `return ${javascript}`) as (...set: boolean[]) => boolean
        for (let bits = 0; bits < 16; bits++) {
          const set = (name: string) => (bits & (1 << 'abcd'.indexOf(name))) !== 0
          const some = alternatives.some((each) => each.every((w) => set(w.condition)))
          expect(some).toBe(isTrue(set('a'), set('b'), set('c'), set('d')))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is kept by properties and BLOCKS edges: what is read back from them starts alike', () => {
    const word = fc.constantFrom('and', 'or')
    const expression = fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.array(fc.tuple(word, fc.constantFrom('a', 'b', 'c')), { maxLength: 4 }))
      .map(([first, rest]) => [first, ...rest.flat()].join(' '))
    const job = 'p/s/controlm-job:J'
    fc.assert(
      fc.property(fc.oneof(expression, fc.constantFrom('', 'a or ( a and b )', '( a or b ) and a')), (text) => {
        const said = waits(text)
        const logic = startLogic(said)
        const node = { id: job, kind: 'ControlMJob' as const, name: 'J', qualifiedName: 'J', properties: startProperties(logic, said) }
        const edges = [...new Set(said.map((w) => w.condition))].map((condition) => ({
          ...{ sourceId: `p/s/controlm-condition:${condition}`, label: 'BLOCKS' as const, targetId: job },
          properties: { odate: 'run-date' },
        }))
        const [step] = workflowOf([node], edges)
        const sorted = (alternatives: typeof logic.alternatives) =>
          alternatives
            .map((a) =>
              a
                .map((w) => w.condition)
                .sort()
                .join(' '),
            )
            .sort()
        expect(sorted(step!.alternatives)).toEqual(sorted(logic.alternatives))
        expect(step!.isExact).toBe(logic.isExact)
      }),
      { numRuns: 300 },
    )
  })
})
