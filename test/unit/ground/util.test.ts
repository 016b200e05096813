import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closest, editDistance } from '../../../src/util/closest.js'
import { errorCodes } from '../../../src/util/error.js'
import { canonicalJson, contentHash } from '../../../src/util/hash.js'

describe('canonical JSON', () => {
  it('does not depend on the order of keys, and reads back as the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('sorts keys by code unit, escapes as JSON does, and leaves out what is undefined, however often a shape comes', () => {
    const wide = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${39 - i}`, i]))
    const value = { b: 'é "\\\u0001\u007f', 10: [1, { z: null, a: undefined }], 9: true, a: { y: undefined, x: wide } }
    const sorted = Object.keys(wide)
      .sort()
      .map((key) => `"${key}":${wide[key]}`)
    const text = `{"10":[1,{"z":null}],"9":true,"a":{"x":{${sorted}}},"b":${JSON.stringify(value.b)}}`
    for (let i = 0; i < 3; i++) expect(canonicalJson(value)).toBe(text)
  })

  it('refuses what JSON cannot carry', () => {
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError)
  })

  it('tells values apart', () => {
    expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: '1' }))
  })
})

describe('did you mean', () => {
  it('counts a swap of neighbours as one edit', () => {
    expect(editDistance('prot', 'port')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
  })

  it('stays silent when nothing is near', () => {
    expect(closest('xyz', ['port', 'host'])).toBeUndefined()
  })
})

describe('error codes', () => {
  it('each say what every door makes of them', () => {
    for (const row of Object.values(errorCodes)) expect(Object.keys(row).sort()).toEqual(['exit', 'graphql', 'http', 'retryable'])
  })
})
