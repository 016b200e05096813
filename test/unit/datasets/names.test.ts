import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fastEditDistance } from '../../../src/datasets/links/edit-distance.js'
import { hashFeatures } from '../../../src/datasets/links/hashing.js'
import {
  editSimilarity,
  sharedEnding,
  singular,
  spellingOf,
  squeeze,
  targetFit,
  trigramSimilarity,
} from '../../../src/datasets/links/names.js'
import { editDistance } from '../../../src/util/closest.js'
import { nameTokens } from '../../../src/util/words.js'

it('reads the words of a name however it is written', () => {
  for (const name of ['customer_id', 'CustomerID', 'customerId', 'CUSTOMER ID', 'customer-id'])
    expect(nameTokens(name)).toEqual(['customer', 'id'])
  expect(nameTokens('HTTPServer2Port')).toEqual(['http', 'server2', 'port'])
  expect(nameTokens('straßeNr')).toEqual(['straße', 'nr'])
  expect(nameTokens('顧客_番号')).toEqual(['顧客', '番号'])
  expect(squeeze('__')).toBe('')
})

it('knows simple plurals and leaves words alone that only look like one', () => {
  expect(['companies', 'addresses', 'boxes', 'orders', 'status', 'class', 'bus'].map(singular)).toEqual([
    'company',
    'address',
    'box',
    'order',
    'statu',
    'class',
    'bus',
  ])
})

it('finds that a key fits its target by name, by table and name, or by table', () => {
  const fit = (query: string, column: string, table: string) => targetFit(squeeze(query), spellingOf(column, table))
  for (const query of ['owner_id', 'ownerId', 'owner', 'Owner ID']) expect(fit(query, 'id', 'owners')).toBe(1)
  expect(fit('owner_id', 'owner_id', 'anything')).toBe(1)
  expect(fit('owner_id', 'title', 'books')).toBeLessThan(0.5)
  expect(fit('customer', 'id', 'crm_customers')).toBe(1)
  expect(fit('', '', '')).toBe(0)
})

it('reads what a key is a key of: key words, plurals and roles aside', () => {
  const read = (name: string, owner = '') => {
    const { stem, head, owner: of, ownerHead } = spellingOf(name, owner)
    return [stem, head, of, ownerHead]
  }
  expect(read('employee_address_id', 'Addresses')).toEqual(['employeeaddress', 'address', 'address', 'address'])
  expect(read('teacherid', 'crm_teachers')).toEqual(['teacher', 'teacher', 'crmteacher', 'teacher'])
  expect(read('ID', 'x')).toEqual(['', '', 'x', 'x'])
  expect(read('paid')).toEqual(['paid', 'paid', '', ''])
  expect(sharedEnding(['employee', 'address', 'id'], ['address', 'id'])).toBeCloseTo(2 / 3, 12)
  expect(sharedEnding([], ['id'])).toBe(0)
})

it('fits by the best of all spellings, however few are compared', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 's', '_'), maxLength: 8 })
  fc.assert(
    fc.property(name, name, name, (query, column, table) => {
      const target = spellingOf(column, table)
      const best = Math.max(0, ...target.spellings.map((spelling) => editSimilarity(squeeze(query), spelling)))
      expect(targetFit(squeeze(query), target)).toBe(best)
    }),
  )
})

it('counts edits bit by bit as the table does', () => {
  const word = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 8 }))
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(fastEditDistance(a, b)).toBe(editDistance(a, b))
    }),
    { numRuns: 3000 },
  )
})

it('measures likeness between 0 and 1', () => {
  expect(editSimilarity('abcd', 'abcx')).toBe(0.75)
  expect(trigramSimilarity('abc', 'abc')).toBe(1)
  expect(trigramSimilarity('abc', 'xyz')).toBe(0)
  expect(trigramSimilarity('', '')).toBe(0)
})

it('hashes to unit vectors, the same every time, with few collisions among likely names', () => {
  const names = Array.from({ length: 200 }, (_, i) => `column_${i}`)
  const vectors = names.map((name) => hashFeatures([name], 64))
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 12)
  expect(hashFeatures(['a', 'b'], 16)).toEqual(hashFeatures(['b', 'a'], 16))
  expect(hashFeatures([], 3)).toEqual([0, 0, 0])
  // 200 names over 64 places and 2 signs: spread like random throws, 128 * (1 - (127/128)^200) = 101 distinct ones expected
  const distinct = new Set(vectors.map((v) => v.join())).size
  expect(distinct).toBeGreaterThan(85)
})
