import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planEdit, tidyName, tidyText } from '../../../src/catalog/people/annotation.js'

const nodeId = 'p/s/table:t'

describe('planEdit', () => {
  it('says only what changes', () => {
    const there = { tags: ['pii'], owners: ['ann'], description: ['old'] }
    expect(planEdit({ nodeId, tags: { add: ['pii'] }, owners: { set: ['ann'] }, description: ' old ' }, there)).toEqual([])
    expect(planEdit({ nodeId, tags: { add: ['gold', 'pii'] }, description: 'new' }, there)).toEqual([
      { nodeId, field: 'tags', before: ['pii'], after: ['pii', 'gold'] },
      { nodeId, field: 'description', before: ['old'], after: ['new'] },
    ])
    expect(planEdit({ nodeId, tags: { remove: ['pii', 'nothing'] }, description: null }, there)).toEqual([
      { nodeId, field: 'tags', before: ['pii'], after: [] },
      { nodeId, field: 'description', before: ['old'], after: [] },
    ])
  })

  it('keeps lists as sets in the order of saying: adding twice is adding once, removing undoes adding', () => {
    const words = fc.array(fc.stringMatching(/^[a-d]{1,2}$/), { maxLength: 6 })
    fc.assert(
      fc.property(words, words, (before, said) => {
        const there = [...new Set(before)]
        const apply = (edit: Parameters<typeof planEdit>[0]['tags'] & object, items: string[]) =>
          planEdit({ nodeId, tags: edit }, { tags: items })[0]?.after ?? items
        const added = apply({ add: said }, there)
        expect(apply({ add: said }, added)).toEqual(added)
        expect(new Set(added)).toEqual(new Set([...there, ...said]))
        expect(added.slice(0, there.length)).toEqual(there)
        expect(apply({ remove: said }, added)).toEqual(there.filter((tag) => !said.includes(tag)))
      }),
    )
  })

  it('refuses more than a hundred', () => {
    const tags = Array.from({ length: 101 }, (_, i) => `t${i}`)
    expect(() => planEdit({ nodeId, tags: { set: tags } }, {})).toThrow(/tags of p\/s\/table:t: found 101 items, expected up to 100/)
  })
})

describe('names and texts', () => {
  it('are kept without surrounding space, and in one form', () => {
    expect(tidyName('tag', '  cafe\u0301 ')).toBe('café')
    expect(tidyText('description', ' two\nlines ')).toBe('two\nlines')
    expect(tidyText('description', ' \n ')).toBeNull()
  })

  it.each(['', '  ', 'a\nb', 'a\0b', 'x'.repeat(201), '\ud800'])('a name %j is refused', (text) => {
    expect(() => tidyName('tag', text)).toThrow(/^tag: found .*, expected 1 to 200 characters on one line$/s)
  })

  it('a text too long, or that no database can hold, is refused', () => {
    expect(() => tidyText('description', 'x'.repeat(10_001))).toThrow('found 10001 characters')
    expect(() => tidyText('description', 'a\0b')).toThrow('expected Unicode text')
  })
})
