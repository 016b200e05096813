import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { grafeoGaps, missingFunctions } from '../../../src/graph/grafeo/gaps.js'
import type { EspalierError } from '../../../src/util/error.js'
import { allowedQueries, dangerousLookingButFine, refusedQueries } from '../../unit/graph/cypher-cases.js'
import { acceptedPatterns, anyPattern } from '../../unit/graph/regex/patterns.js'
import { asking, edge, node } from './asking.js'

/** Queries of Cypher 5 that one engine lacks (grafeo/gaps.ts, with the reasons), with the hint that its users get. */
const gaps = [
  ...Object.values(grafeoGaps),
  ...Object.values(missingFunctions).map(({ hint, example }) => ({ hint, example: `RETURN ${example} AS x` })),
]

/** Allowed queries that Grafeo lacks something for. */
const lackingOnGrafeo = /COLLECT \{|:Table&!View|\(n:Table WHERE|^MATCH p = \(n:Table\) RETURN p$|\{1,3\}|duration\.between|date\.truncate/

/** What every graph engine must answer and refuse, and that nothing of it changes the graph. */
export function describeReads(engine: () => GraphEngine): void {
  const { rows, refusal, dump } = asking(engine)
  describe('on a graph that is only read', () => {
    let before: string[]
    beforeAll(async () => {
      await engine().clear()
      await engine().prepare()
      await engine().apply([node('a'), node('b', 'View'), edge('a', 'DATA_FLOW', 'b')], 77)
      before = await dump()
    })

    it('answers plain values as JSON', async () => {
      const text =
        'RETURN 1 AS a, 1.5 AS b, "x" AS c, true AS d, null AS e, [1, [2]] AS f, {x: {y: 1}} AS g, 9007199254740993 AS h, 2.0 AS i, -3 AS j'
      const { columns, rows, isPartial, elapsedMs } = await engine().read({ text })
      expect(columns).toEqual([...'abcdefghij'])
      expect(rows).toEqual([[1, 1.5, 'x', true, null, [1, [2]], { x: { y: 1 } }, '9007199254740993', 2, -3]])
      expect(isPartial).toBe(false)
      expect(elapsedMs).toBeGreaterThan(0)
    })

    it('takes parameters of every JSON kind', async () => {
      const parameters = {
        i: 7,
        f: 0.5,
        s: 'x"\'`\\',
        l: [1, 'a', null, [true]],
        m: { a: { b: [1] } },
        n: null,
        z: 'é😀\u0000'.slice(0, 3),
      }
      expect(await rows('RETURN $i AS i, $i / 2 AS half, $f AS f, $s AS s, $l AS l, $m AS m, $n AS n, $z AS z', parameters)).toEqual([
        [7, 3, 0.5, parameters.s, parameters.l, parameters.m, null, parameters.z],
      ])
      expect(await rows('UNWIND range(1, 9) AS x RETURN x LIMIT $n', { n: 2 })).toHaveLength(2)
      expect((await refusal({ text: 'RETURN $missing AS x' })).code).toBe('CYPHER_FAILED')
    })

    it('refuses every attack that the guard is tested with', async () => {
      for (const [text] of refusedQueries) expect(await refusal({ text }), text).toMatchObject({ code: 'CYPHER_REFUSED' })
      expect(await dump()).toEqual(before)
    })

    it("shows nobody the platform's own node", async () => {
      expect(await engine().position()).toBe(77)
      for (const [text, expected] of [
        ['MATCH (n) RETURN count(n)', 2],
        ['MATCH (n), (m) RETURN count(*)', 4],
        ['OPTIONAL MATCH (n) WHERE n.position IS NOT NULL RETURN n', null],
        ['MATCH (n {position: 77}) RETURN count(n)', 0],
        ['MATCH (n {id: "espalier:projection"}) RETURN count(n)', 0],
        ['MATCH (n) WHERE NOT n:Table AND NOT n:View RETURN count(n)', 0],
        ['MATCH (n) WHERE size(labels(n)) = 1 RETURN count(n)', 0],
        ['MATCH (n)-[*0..1]-(m) RETURN count(*)', 4],
        ['MATCH p = (n)-[*0..0]-() RETURN count(p)', 2],
        ['RETURN COUNT { (n) }', 2],
        ['RETURN COUNT { MATCH (n) WHERE n.position = 77 }', 0],
        ['RETURN EXISTS { MATCH (n {position: 77}) }', false],
        ['MATCH (t:Table) RETURN size([(x)-[*0..0]-(y) | y.id])', 2],
        ['CALL { MATCH (n) RETURN n.id AS id UNION ALL MATCH (n) RETURN n.id AS id } RETURN count(id)', 4],
        ['MATCH (n) CALL (n) { MATCH (m) RETURN count(m) AS c } RETURN sum(c)', 4],
        ['CALL db.labels() YIELD label WHERE label STARTS WITH "Esp" RETURN count(label)', 0],
        ['CALL db.labels() YIELD label AS l WITH l WHERE l STARTS WITH "Esp" RETURN count(l)', 0],
      ] as const)
        expect(await rows(text), text).toEqual([[expected]])
      expect((await rows('CALL db.labels()')).flat()).not.toContain('EspalierMeta')
    })

    it.each(gaps)('$example: $hint', async ({ example, hint }) => {
      if (engine().name === 'grafeo')
        expect(await refusal({ text: example })).toMatchObject({ code: 'CYPHER_REFUSED', remedy: hint, problems: [{ suggestion: hint }] })
      else expect((await engine().read({ text: example })).columns).toHaveLength(1)
    })

    it('names columns as the query spells them', async () => {
      const { columns } = await engine().read({ text: 'MATCH (n) RETURN n.name, COUNT { (m) }, size( [(n)-[*0..1]-(m) | m]) AS `x y`' })
      expect(columns).toEqual(['n.name', 'COUNT { (m) }', 'x y'])
    })

    it('says what is wrong with a query that fails', async () => {
      expect(await refusal({ text: 'MATCH (n) RETURN m' })).toMatchObject({ code: 'CYPHER_FAILED', message: expect.stringMatching(/m/) })
      expect(await refusal({ text: 'MATCH (n)-[ RETURN n' })).toMatchObject({ code: 'CYPHER_REFUSED' })
    })

    it('lists labels, types and property names', async () => {
      expect(await rows('CALL db.labels() YIELD label RETURN label ORDER BY label')).toEqual(expect.arrayContaining([['Table'], ['View']]))
      expect(await rows('CALL db.relationshipTypes() YIELD relationshipType AS t RETURN t')).toContainEqual(['DATA_FLOW'])
    })

    it('matches regular expressions as they are meant, from texts and from parameters', async () => {
      const texts = [
        '',
        'a',
        'ab',
        'abc',
        'abab',
        'a_b',
        'a_1',
        'stg_12',
        'foo',
        'foobar',
        'xfooybarz',
        'barfoo',
        'custid',
        'a\nb',
        'é',
        '1',
        '.',
        'a.b',
      ]
      const oracle = (pattern: string) => {
        const [flags] = /^\(\?([is]+)\)/.exec(pattern) ?? ['']
        return new RegExp(`^(?:${pattern.slice(flags.length)})$`, flags.replace(/[^is]/g, ''))
      }
      const patterns = [...acceptedPatterns.map(([pattern]) => pattern), ...fc.sample(anyPattern, 150)]
      let answered = 0
      for (const pattern of patterns) {
        const text = 'UNWIND range(0, size($texts) - 1) AS i WITH i, $texts[i] AS t ORDER BY i RETURN t =~ $pattern AS x'
        const answer = await rows(text, { texts, pattern }).catch((error: EspalierError) => error)
        if (answer instanceof Error) {
          expect(answer).toMatchObject({ code: 'CYPHER_REFUSED' })
          continue
        }
        answered++
        expect(answer.flat(), pattern).toEqual(texts.map((t) => oracle(pattern).test(t)))
      }
      expect(answered).toBeGreaterThan(acceptedPatterns.length + 20)
      expect(await rows("MATCH (n) WHERE n.id =~ '(?i)' + $p + '.*' RETURN n.id, n.id =~ $none AS x", { p: 'A', none: null })).toEqual([
        ['a', null],
      ])
    })

    it('is through with every regular expression that it takes, whatever the text', async () => {
      // texts on which going back and forth takes longest: pieces of the pattern over and over, and an end that fits nothing
      for (const pattern of [...acceptedPatterns.map(([accepted]) => accepted), ...fc.sample(anyPattern, 40)]) {
        const pieces = [
          ...(pattern.match(/[a-zA-Z0-9_]+/g) ?? []),
          'a',
          '1',
          '_',
          'ab',
          'a😀',
          pattern.replaceAll(/[^a-z0-9_]/g, '') || 'x',
        ]
        const texts = pieces.flatMap((piece) => ['', '\n', '!'].map((end) => piece.repeat(Math.ceil(10_000 / piece.length)) + end))
        const text = 'UNWIND $texts AS t RETURN count(CASE WHEN t =~ $pattern THEN 1 END) AS n'
        const answer = await rows(text, { texts, pattern }).catch((error: EspalierError) => error)
        // neither a time-out nor a lost connection
        if (answer instanceof Error) expect(answer, pattern).toMatchObject({ code: 'CYPHER_REFUSED' })
        else expect(answer).toEqual([[expect.any(Number)]])
      }
      expect(await rows('RETURN 1 AS x')).toEqual([[1]])
    })

    it.each([...allowedQueries, ...dangerousLookingButFine])('runs %j', async (text) => {
      const parameters = { name: 'a', rows: [{ id: 1, name: 'x' }], p: { x: { y: 1 } }, create: 1, set: 2, delete: 3 }
      const result = await engine()
        .read({ text, parameters })
        .catch((error: EspalierError) => error)
      if (engine().name === 'grafeo' && lackingOnGrafeo.test(text)) expect(result).toMatchObject({ code: 'CYPHER_REFUSED' })
      else if (result instanceof Error) throw result
      expect(await dump()).toEqual(before)
    })
  })
}
