import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noAnnotations } from '../../../src/catalog/people/annotation.js'
import {
  type AskedWord,
  askedWords,
  type Candidate,
  highlightsOf,
  meantBy,
  rank,
  scoreOf,
  searchQueries,
} from '../../../src/catalog/search/search.js'

const candidate = (qualifiedName: string, more: Partial<Candidate> = {}): Candidate => ({
  id: `p/s/${more.kind === 'Table' ? 'table' : 'column'}:${qualifiedName}`,
  kind: 'Column',
  name: qualifiedName.slice(qualifiedName.lastIndexOf('.') + 1),
  qualifiedName,
  comment: null,
  description: null,
  said: noAnnotations,
  ...more,
})
const asked = (text: string, meant: Record<string, string[]> = {}): AskedWord[] =>
  askedWords(text).map((word) => ({ word, meant: meant[word] ?? [] }))
const order = (text: string, candidates: Candidate[]) => rank(candidates, asked(text)).map((r) => r.candidate.qualifiedName)

describe('the words of a question', () => {
  it('are the same in every spelling, each once, ten at most', () => {
    for (const text of ['customer_id', 'CustomerId', ' customer-id, CUSTOMER id ']) expect(askedWords(text)).toEqual(['customer', 'id'])
    expect(askedWords('ÜBERWEISUNG Straße')).toEqual(['überweisung', 'straße'])
    expect(askedWords("'; drop table --")).toEqual(['drop', 'table'])
    expect(askedWords('a b c d e f g h i j k l')).toHaveLength(10)
    expect(askedWords(' ._- ')).toEqual([])
  })

  it('may be meant for others by slips that grow with their length', () => {
    expect(meantBy('custmoer', ['customer', 'custody', 'customs', 'computer'])).toEqual(['customer'])
    expect(meantBy('acount', ['account', 'count', 'acounting', 'amount'])).toEqual(['account', 'amount', 'count'])
    expect(meantBy('taks', ['task', 'tax'])).toEqual(['task'])
    expect(meantBy('id', ['ids', 'it', 'in'])).toEqual([])
  })
})

describe('ranking', () => {
  it('puts whole names before parts, names before paths, tables before columns, exact before near', () => {
    expect(
      order('customer', [
        candidate('a.customer.id'),
        candidate('a.customer', { kind: 'Table' }),
        candidate('a.b.customer'),
        candidate('a.b.customer_key'),
        candidate('a.b.customers'),
      ]),
    ).toEqual(['a.customer', 'a.b.customer', 'a.b.customer_key', 'a.b.customers', 'a.customer.id'])
    const near = candidate('a.b.customer')
    expect(scoreOf(near, asked('custmoer', { custmoer: ['customer'] }))).toBeLessThan(scoreOf(near, asked('customer')))
    expect(scoreOf(near, asked('nothing'))).toBe(0)
  })

  it('counts what people say above what the source remarks', () => {
    const tagged = candidate('a.b.x', { said: { ...noAnnotations, tags: ['pii'] } })
    const remarked = candidate('a.b.a', { comment: 'no pii here' })
    expect(order('pii', [remarked, tagged])).toEqual(['a.b.x', 'a.b.a'])
  })

  it('gives the same order whatever the order of the candidates', () => {
    const names = fc.array(fc.stringMatching(/^[ab]\.[abc]{1,2}(_[ab])?$/), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(names, fc.stringMatching(/^[abc]{1,2}( [ab])?$/), (qualified, text) => {
        const candidates = [...new Set(qualified)].map((name) => candidate(name))
        expect(order(text, candidates)).toEqual(order(text, [...candidates].reverse()))
        const scores = rank(candidates, asked(text)).map(({ score }) => score)
        expect(scores).toEqual([...scores].sort((a, b) => b - a))
      }),
    )
  })
})

describe('highlights', () => {
  it('say where in each text something was found', () => {
    const hit = candidate('core.Account.CustomerID', {
      comment: 'who the customers are; custmer',
      said: { ...noAnnotations, tags: ['customer-data', 'gold'] },
    })
    const shown = highlightsOf(hit, asked('customer i', { customer: ['custmer'] })).map(({ field, text, matches }) => [
      field,
      matches.map(({ start, length }) => text.slice(start, start + length)),
    ])
    expect(shown).toEqual([
      ['name', ['Customer']],
      ['qualifiedName', ['Customer']],
      ['comment', ['customer', 'custmer']],
      ['tags', ['customer']],
    ])
  })

  it('cut a long text around the first of them, and never lie about places', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), fc.boolean(), (before, after, again) => {
        const comment = `${'x '.repeat(before)}Needle${again ? ' needle' : ''}${' y'.repeat(after)}`
        const [shown] = highlightsOf(candidate('a.b', { comment }), asked('needle'))
        expect(shown!.text.length).toBeLessThanOrEqual(162)
        expect(shown!.matches.length).toBeGreaterThan(0)
        for (const { start, length } of shown!.matches) expect(shown!.text.slice(start, start + length).toLowerCase()).toBe('needle')
      }),
    )
  })
})

describe('queries', () => {
  it('are narrowed by marks that no word can be', () => {
    const { all, tiers, any } = searchQueries(asked('cust i', { cust: ['cost'] }), { kinds: ['Table', 'View'], scopes: [3] })
    expect(all).toBe(`('cust':* | 'cost') & 'i' & ('#Table' | '#View') & '@3'`)
    expect(any).toBe(`(('cust':* | 'cost') | 'i') & ('#Table' | '#View') & '@3'`)
    expect(tiers[0]).toBe(`'=cust i' & '#' & ('#Table' | '#View') & '@3'`)
  })
})
