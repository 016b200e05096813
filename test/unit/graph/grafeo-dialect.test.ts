import { expect, it } from 'vitest'
import { withoutConvertFormat } from '../../../src/graph/convert-format.js'
import { translateToGrafeo } from '../../../src/graph/grafeo/dialect.js'

it.each([
  ['CYPHER 5\nMATCH (this:Table) RETURN this', 'MATCH (this:Table) RETURN this'],
  [
    'RETURN apoc.date.convertFormat(toString(this.updated_at), "iso_zoned_date_time", "iso_offset_date_time") AS x',
    'RETURN toString(this.updated_at) AS x',
  ],
  ['RETURN this { a: this.b } AS this', 'RETURN this { .__, a: this.b } AS this'],
  ['RETURN this { .name, a: this.b } AS this', 'RETURN this { .name, a: this.b } AS this'],
  [
    'RETURN { max: max(this.x), min: min(this.x) } AS v',
    'WITH max(this.x) AS aggregate0, min(this.x) AS aggregate1 RETURN {max: aggregate0, min: aggregate1} AS v',
  ],
  ['RETURN { a: this.b } AS v', 'RETURN { a: this.b } AS v'],
  [
    'WHERE single(this0 IN [(this)-[:R]->(this0:C) WHERE this0.x = $p | 1] WHERE true) RETURN this',
    'WHERE COUNT { MATCH (this)-[:R]->(this0:C) WHERE this0.x = $p } = 1 RETURN this',
  ],
  [
    'single(a IN [(t)-[:R]->(a) WHERE single(b IN [(a)-[:S]->(b) WHERE b.x IN [1] | 1] WHERE true) | 1] WHERE true)',
    'COUNT { MATCH (t)-[:R]->(a) WHERE COUNT { MATCH (a)-[:S]->(b) WHERE b.x IN [1] } = 1 } = 1',
  ],
])('translates %j', (text, expected) => {
  expect(translateToGrafeo(text)).toBe(expected)
})

it('leaves other text alone', () => {
  const text = 'MATCH (n) WHERE single(x IN n.list WHERE x > 1) RETURN n'
  expect(translateToGrafeo(text)).toBe(text)
  expect(withoutConvertFormat(text)).toBe(text)
})
