import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillVariables, linesOf, nextStatement, type Statement, splitStatements } from '../../../../src/catalog/sql/sql-text.js'

const textsOf = (script: string) => splitStatements(script).map((s) => script.slice(s.start, s.end).trim())

function all(script: string): Statement[] {
  const found: Statement[] = []
  for (let at = 0, next: Statement | null; (next = nextStatement(script, at)); at = next.end + 1) found.push(next)
  return found
}

/** Pieces of a script that are each whole, so that only the semicolons between them split. */
const piece = fc.constantFrom(
  'select 1',
  "'a;b'",
  '"x;\\";y"',
  '`c;d`',
  '-- e;f\n',
  '/* g;h */',
  "'it''s'",
  "'\\\\'",
  ' \n ',
  'größe😀',
  "'--'",
  '`/*`',
  '- -',
  '/ *',
)

describe('the statements of a script', () => {
  it('put together again with their semicolons, are the script', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.constant(';')), { maxLength: 40 }), (parts) => {
        const script = parts.join(' ')
        const statements = all(script)
        expect(statements.map((s) => script.slice(s.start, s.end)).join(';') + (script.endsWith(';') ? ';' : '')).toBe(script)
      }),
    )
  })

  it('are as many as there are whole pieces between semicolons', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.array(piece, { minLength: 1, maxLength: 5 }).map((p) => `select ${p.join(' ')}`),
          { minLength: 1, maxLength: 10 },
        ),
        (statements) => {
          expect(splitStatements(statements.join('\n;'))).toHaveLength(statements.length)
        },
      ),
    )
  })

  it('leave blank ones out and know comments at the end', () => {
    expect(textsOf(';;select 1;-- the end;\n ;\n/* ; */; use x -- done')).toEqual(['select 1', 'use x -- done'])
  })

  it('say what was never closed, and where reading may go on', () => {
    const script = "create table a (x int comment 'it's gone');\ncreate table b (y int);\nuse c"
    const [first] = splitStatements(script)
    expect(script.slice(first!.resume)).toBe('\ncreate table b (y int);\nuse c')
    expect(splitStatements('select `a')[0]?.unterminated).toEqual({ opened: 7, what: 'back-tick' })
    expect(splitStatements('select /* a')[0]?.unterminated?.what).toBe('comment')
    expect(splitStatements("comment 'a;b\n;c' ;")[0]?.resume).toBeUndefined()
  })

  it('cost the same per statement, however many forgot a quote', () => {
    const script = (n: number) => Array.from({ length: n }, (_, i) => `create table t${i} (a int comment 'don't${i}');`).join('\n')
    const time = (n: number) => {
      const text = script(n)
      const start = performance.now()
      for (let at = 0, next: Statement | null; (next = nextStatement(text, at)); ) at = next.resume ?? next.end + 1
      return (performance.now() - start) / n
    }
    time(500)
    expect(time(8000)).toBeLessThan(10 * time(1000) + 0.01)
  })
})

describe('variables', () => {
  it('are filled in everywhere but in comments', () => {
    const { text, unset } = fillVariables("use ${DB}; -- ${NOT}\n location '${hiveconf:LOC}/x${DB}' /* ${NOT} */", {
      DB: 'core',
      LOC: '/w',
    })
    expect(text).toBe("use core; -- ${NOT}\n location '/w/xcore' /* ${NOT} */")
    expect(unset).toEqual([])
  })

  it('that have no value are named, with their place and what they may mean', () => {
    expect(fillVariables('use ${DBB}', { DB: 'x' })).toMatchObject({
      text: 'use ${DBB}',
      unset: [{ name: 'DBB', at: 4, suggestion: 'Did you mean "DB"?' }],
    })
    expect(fillVariables('a ${constructor}', {}).unset).toHaveLength(1)
  })

  it('keep the way back to the original place', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('${A}', '${LONGER}', 'x', 'yy', '\n'), { maxLength: 20 }), (parts) => {
        const { text, original } = fillVariables(parts.join(''), { A: 'value of a', LONGER: '' })
        // every character that is not from a value is found again where it was
        const source = parts.join('')
        for (let i = 0; i < text.length; i++) if ('xy\n'.includes(text[i]!)) expect(source[original(i)]).toBe(text[i])
      }),
    )
  })
})

it('lines and columns agree with counting', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\n', 'bc'), { maxLength: 60 }), (parts) => {
      const text = parts.join('')
      const place = linesOf(text)
      for (let at = 0; at <= text.length; at++) {
        const before = text.slice(0, at).split('\n')
        expect(place(at)).toEqual({ line: before.length, column: before.at(-1)!.length + 1 })
      }
    }),
  )
})
