import { describe, expect, it } from 'vitest'
import type { Estate } from '../../../src/datasets/links/estate.js'
import { type EstateCacheOptions, openEstateCache } from '../../../src/serving/estate-cache.js'

function source(facts = 1) {
  const positions = new Map<string, number>()
  const reads: string[] = []
  let fails = false
  return {
    reads,
    move: (project: string) => positions.set(project, (positions.get(project) ?? 0) + 1),
    fail: (yes: boolean) => {
      fails = yes
    },
    open: (options?: EstateCacheOptions) =>
      openEstateCache(
        {
          position: async (project) => String(positions.get(project) ?? 0),
          read: async (project) => {
            reads.push(project)
            if (fails) throw new Error('the ledger is away')
            return { nodes: Array.from({ length: facts }, () => ({ id: project })), edges: [] } as unknown as Estate
          },
        },
        options,
      ),
  }
}

describe('the cache of estates', () => {
  it('reads a project once until its ledger moves, and gives the same object', async () => {
    const ledger = source()
    const cache = ledger.open()
    const first = await cache.read('a')
    expect(await cache.read('a')).toBe(first)
    expect(ledger.reads).toEqual(['a'])
    ledger.move('b')
    expect(await cache.read('a')).toBe(first)
    ledger.move('a')
    expect(await cache.read('a')).not.toBe(first)
    expect(ledger.reads).toEqual(['a', 'a'])
  })

  it('callers at the same time share one read', async () => {
    const ledger = source()
    const cache = ledger.open()
    const all = await Promise.all(Array.from({ length: 20 }, () => cache.read('a')))
    expect(new Set(all).size).toBe(1)
    expect(ledger.reads).toEqual(['a'])
  })

  it('lets go of the projects that were asked about longest ago: by their number, and by their size', async () => {
    const few = source()
    const byNumber = few.open({ projects: 2 })
    for (const project of ['a', 'b', 'a', 'c', 'a', 'b']) await byNumber.read(project)
    expect(few.reads).toEqual(['a', 'b', 'c', 'b'])
    expect(byNumber.size).toBe(2)

    const large = source(60)
    const bySize = large.open({ facts: 100 })
    for (const project of ['a', 'b', 'b', 'a']) await bySize.read(project)
    expect(large.reads).toEqual(['a', 'b', 'a'])
    expect(bySize.size).toBe(1)
  })

  it('a read that failed is not kept', async () => {
    const ledger = source()
    const cache = ledger.open()
    ledger.fail(true)
    await expect(cache.read('a')).rejects.toThrow('away')
    ledger.fail(false)
    expect((await cache.read('a')).nodes).toHaveLength(1)
  })
})
