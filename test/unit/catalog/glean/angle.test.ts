import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { angleString, printAngle } from '../../../../src/catalog/glean/angle.js'
import { keyFields, printAngleSchema } from '../../../../src/catalog/glean/angle-schema.js'
import { encodeEdge, encodeTrainingMetrics } from '../../../../src/catalog/glean/encode.js'
import { defaultPrefix, type NewFact, predicateName, predicateOf, predicates } from '../../../../src/catalog/glean/predicates.js'
import { checkValue, type Pattern, parseQuery, parseSchema, runQuery } from './angle-reader.mjs'
import { columnFact, day, manifestFact, prefix, stamp } from './facts.js'

const schema = parseSchema(printAngleSchema(prefix))

/** Text that is likely to break out of a string. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ';', '|', '\n', '\u0000', '\u2028', '_', '#', ' ', 'n', '😀', '\ud800', '..') }),
  fc.constantFrom('"', '\\"', '\\\\"', '" | _', '"; x.Y _; "', '\\u0022', '"}; F where _', '# comment', '\ud83d', '$1'),
)
/** What Angle's text can hold of it. */
const asText = (text: string) => Buffer.from(text, 'utf8').toString('utf8')

describe('Angle', () => {
  it('reads as it was meant, whatever the values hold', () => {
    fc.assert(
      fc.property(nasty, fc.array(nasty, { maxLength: 3 }), fc.option(fc.nat(2 ** 40), { nil: undefined }), (project, labels, since) => {
        const text = printAngle(
          { predicate: 'Node', where: { project_id: project, label: labels }, ...(since === undefined ? {} : { since }) },
          prefix,
        )
        const { term, statements } = parseQuery(text)
        const strings = labels.map((string): Pattern => ({ string: asText(string) }))
        const label = strings.length === 1 ? strings[0]! : { choice: strings }
        const fields = { project_id: { string: asText(project) }, label: flat(label) }
        const fact = (more: object) => ({ fact: 'agenticAiETH.ETL.Node.1', key: { fields: { ...fields, ...more } } })
        if (since === undefined)
          expect({ term, statements: statements.map(flatten) }).toEqual({ term: null, statements: [{ right: fact({}) }] })
        else {
          expect(term).toEqual({ variable: 'F' })
          expect(statements.map(flatten)).toEqual([
            { left: { variable: 'F' }, right: fact({ exported_at_epoch: { variable: 'At' } }) },
            { left: { variable: 'At' }, sign: '>=', right: { nat: since } },
          ])
        }
      }),
    )
  })

  it('finds exactly the fact whose value it names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(nasty.map(asText), { minLength: 1, maxLength: 5 }), fc.nat(4), (names, pick) => {
        const facts = names.map((name, id) => ({
          id,
          predicate: predicateName(prefix, 'Node'),
          key: { ...columnFact('x', 'int', stamp(day(1))).key, label: name },
        }))
        const wanted = names[pick % names.length]!
        const found = runQuery(printAngle({ predicate: 'Node', where: { label: wanted }, since: 0 }, prefix), facts, schema)
        expect(found.map(({ id }) => id)).toEqual([names.indexOf(wanted)])
      }),
    )
  })

  it('escapes as JSON does, and never holds half a character', () => {
    expect(angleString('a"b\\\n')).toBe('"a\\"b\\\\\\n"')
    expect(angleString('x\ud800y')).toBe('"x\uFFFDy"')
  })

  it('looks like this', () => {
    const query = { predicate: 'Edge', where: { project_id: 'bank', label: ['A', 'B'] }, since: 1_700_000_000 } as const
    expect(printAngle(query, prefix)).toBe(
      'F where F = agenticAiETH.ETL.Edge.1 { project_id = "bank", label = ("A" | "B"), exported_at_epoch = At }; At >= 1700000000',
    )
    expect(printAngle({ predicate: 'Node', where: {} }, prefix)).toBe('agenticAiETH.ETL.Node.1 _')
    expect(printAngle({ predicate: 'Node', where: {}, since: -5.5 }, prefix)).toMatch(/At >= 0$/)
  })

  it('lets nothing but names be names', () => {
    for (const bad of ['Upper.Case', 'a b', '', 'a..b', 'a.Node"', 'x;y'])
      expect(() => printAngle({ predicate: 'Node', where: {} }, bad), bad).toThrow(/predicate prefix/)
    expect(() => printAngle({ predicate: 'Node', where: { 'a = _; b': 'x' } }, prefix)).toThrow(/no name of a field/)
  })
})

/** Nested choices of a right-hand parse as one list. */
const flat = (pattern: Pattern): Pattern => pattern
const flatten = <T extends object>(statement: T): T => JSON.parse(JSON.stringify(statement)) as T

describe('the Angle schema', () => {
  it('is the one that is committed', () => {
    const file = path.resolve(import.meta.dirname, '../../../../schema/espalier.angle')
    expect(fs.readFileSync(file, 'utf8')).toBe(printAngleSchema(defaultPrefix))
  })

  it('has the predicates under their full names, in any namespace', () => {
    expect(Object.keys(schema.predicates)).toEqual(predicates.map((name) => predicateName(prefix, name)))
    expect(Object.keys(parseSchema(printAngleSchema('our.catalog')).predicates)[0]).toBe('our.catalog.ExportManifest.1')
    for (const name of Object.keys(schema.predicates)) expect(predicateOf(name)).toBe(/ETL\.(\w+)\.1/.exec(name)![1])
    expect([predicateOf('a.Node.2'), predicateOf('a.Other.1'), predicateOf('Node')]).toEqual([null, null, null])
  })

  it('fits every key that is written', () => {
    const edge = {
      sourceId: 'a',
      label: 'READS' as const,
      targetId: 'b',
      discriminator: 'x',
      projectId: 'p',
      systemId: 's',
      properties: { w: 1.5 },
    }
    const metrics = {
      runId: 'r',
      model: 'ggnn',
      metrics: { mrr: 1e-7, loss: Number.NaN, best: Number.POSITIVE_INFINITY },
      details: { a: [null] },
    }
    const facts: NewFact[] = [
      manifestFact({ entropy: 1.5, kl: 1e-17, columns: 3 }, stamp(day(1))),
      columnFact('a', 'int', stamp(day(1))),
      { predicate: 'Edge', key: encodeEdge(edge, stamp(day(1))) },
      { predicate: 'TrainingMetrics', key: encodeTrainingMetrics(metrics, stamp(day(1))) },
    ]
    for (const { predicate, key } of facts) {
      checkValue(key, schema.predicates[predicateName(prefix, predicate)]!, predicate)
      expect(Object.keys(key).sort()).toEqual(Object.keys(keyFields[predicate]).sort())
    }
    expect(new Set(facts.map(({ predicate }) => predicate)).size).toBe(predicates.length)
  })
})
