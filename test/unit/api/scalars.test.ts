import fc from 'fast-check'
import { Kind, parseValue } from 'graphql'
import { DateTime as DriverDateTime, int } from 'neo4j-driver'
import { describe, expect, test } from 'vitest'
import { driverParameters, scalarAwareDriver } from '../../../src/api/graph-schema.js'
import { BigIntScalar, DateTime, MetricValue } from '../../../src/api/scalars.js'

const literal = (text: string) => parseValue(text)

describe('DateTime', () => {
  const moment = new Date('2024-05-01T10:00:00.250Z')

  test('gives out what either half holds', () => {
    expect(DateTime.serialize(moment)).toBe('2024-05-01T10:00:00.250Z')
    expect(DateTime.serialize('2024-05-01T12:00:00.25+02:00')).toBe('2024-05-01T10:00:00.250Z')
    expect(DateTime.serialize(DriverDateTime.fromStandardDate(moment))).toBe('2024-05-01T10:00:00.250Z')
    expect(DateTime.serialize(new DriverDateTime(2024, 5, 1, 12, 0, 0, 250_000_000, 7200, 'Europe/Berlin'))).toBe(
      '2024-05-01T10:00:00.250Z',
    )
  })

  test('takes dates and zoned times, by value and by literal', () => {
    expect(DateTime.parseValue('2024-05-01')).toEqual(new Date('2024-05-01T00:00:00Z'))
    expect(DateTime.parseValue('2024-05-01T12:00+0200')).toEqual(new Date('2024-05-01T10:00:00Z'))
    expect(DateTime.parseLiteral(literal('"2024-05-01T10:00:00.25Z"'), {})).toEqual(moment)
  })

  test.each([
    ['2024-05-01T12:00:00', 'has no zone'],
    ['yesterday', 'expected ISO-8601'],
    ['2024-13-01', 'no date that exists'],
    [1714557600, 'found 1714557600'],
  ])('refuses %j and says why', (value, reason) => expect(() => DateTime.parseValue(value)).toThrow(reason))

  test('refuses to give out what is no moment', () => {
    for (const value of [new Date(Number.NaN), 'soon', {}, null, 5]) expect(() => DateTime.serialize(value)).toThrow('cannot represent')
  })

  test('any moment survives the round trip', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
        expect(DateTime.parseValue(DateTime.serialize(date))).toEqual(date)
      }),
    )
  })
})

describe('BigInt', () => {
  test('gives out what either half holds, as digits', () => {
    for (const value of [42n, 42, '42', int(42)]) expect(BigIntScalar.serialize(value)).toBe('42')
    expect(BigIntScalar.serialize(int('9223372036854775807'))).toBe('9223372036854775807')
  })

  test('takes 64 bits and no more', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => void expect(BigIntScalar.parseValue(`${n}`)).toBe(n)),
    )
    expect(() => BigIntScalar.parseValue(`${2n ** 63n}`)).toThrow('64 bits')
    expect(BigIntScalar.parseLiteral(literal('12345678901234567'), {})).toBe(12345678901234567n)
  })

  test.each([[1.5], ['1.5'], ['ten'], [2 ** 60], [null]])('refuses %j', (value) =>
    expect(() => BigIntScalar.parseValue(value)).toThrow('BigInt: found'),
  )
})

describe('MetricValue', () => {
  test('carries what Float refuses', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const wire = JSON.parse(JSON.stringify(MetricValue.serialize(value))) as unknown
        expect(MetricValue.parseValue(wire)).toBe(Object.is(value, -0) ? 0 : value)
      }),
    )
    expect([Number.NaN, Infinity, -Infinity].map((v) => MetricValue.serialize(v))).toEqual(['NaN', 'Infinity', '-Infinity'])
  })
  test('takes literals of each kind and refuses other words', () => {
    expect(MetricValue.parseLiteral(literal('1.5'), {})).toBe(1.5)
    expect(MetricValue.parseLiteral(literal('"-Infinity"'), {})).toBe(-Infinity)
    expect(() => MetricValue.parseLiteral(literal('"1.5"'), {})).toThrow('"NaN"')
    expect(() => MetricValue.parseLiteral({ kind: Kind.BOOLEAN, value: true }, {})).toThrow('BooleanValue')
  })
})

describe('at the door of the graph driver', () => {
  test('moments become ISO text and whole numbers the driver Integer, at any depth', () => {
    expect(driverParameters({ a: [{ at: new Date(0) }], n: 7n, s: 'x', i: int(3), none: null })).toEqual({
      a: [{ at: '1970-01-01T00:00:00.000Z' }],
      n: int(7),
      s: 'x',
      i: int(3),
      none: null,
    })
  })

  test('the wrapped driver hands on results, settings and close', async () => {
    const calls: unknown[] = []
    const session = {
      executeRead: (work: (tx: unknown) => unknown, settings: unknown) => {
        calls.push(settings)
        return work({ run: (text: string, parameters: unknown) => ({ text, parameters }) })
      },
      executeWrite: () => calls.push('write'),
      close: () => calls.push('closed'),
    }
    const wrapped = scalarAwareDriver({ session: () => session }).session({}) as typeof session
    const answer = wrapped.executeRead((tx) => (tx as { run(t: string, p: unknown): unknown }).run('RETURN $at', { at: new Date(0) }), {
      timeout: 5,
    })
    wrapped.close()
    expect(answer).toEqual({ text: 'RETURN $at', parameters: { at: '1970-01-01T00:00:00.000Z' } })
    expect(calls).toEqual([{ timeout: 5 }, 'closed'])
  })
})
