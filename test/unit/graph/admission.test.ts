import { expect, it } from 'vitest'
import { Admission } from '../../../src/graph/admission.js'

/** A work that ends when it is told to. */
function openWork() {
  let end!: () => void
  let hasBegun = false
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const work = () => {
    hasBegun = true
    return ended
  }
  return { work, end, hasBegun: () => hasBegun }
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

it('lets in as many as there are places, the others in order as places come free, failures included', async () => {
  const admission = new Admission({ places: 2, most: 10 })
  const works = Array.from({ length: 4 }, openWork)
  const runs = works.map(({ work }) => admission.run(work, 10_000))
  const begun = () => works.map((w) => w.hasBegun())
  await turn()
  expect(begun()).toEqual([true, true, false, false])
  works[1]!.end()
  await turn()
  expect(begun()).toEqual([true, true, true, false])
  const failing = admission.run(() => Promise.reject(new Error('no')), 10_000)
  works[0]!.end()
  works[2]!.end()
  works[3]!.end()
  await Promise.all(runs)
  await expect(failing).rejects.toThrow('no')
  expect(await admission.run(async () => 'free again', 10)).toBe('free again')
})

it('refuses who finds no place within his time, and at once when too many wait', async () => {
  const admission = new Admission({ places: 1, most: 1 })
  const busy = openWork()
  const running = admission.run(busy.work, 10_000)
  const late = openWork()
  const waiting = admission.run(late.work, 20)
  await expect(admission.run(async () => {}, 10_000)).rejects.toMatchObject({
    code: 'OVERLOADED',
    message: expect.stringContaining('no more'),
  })
  await expect(waiting).rejects.toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('20 ms') })
  busy.end()
  await running
  await turn()
  expect(late.hasBegun()).toBe(false)
  expect(await admission.run(async () => 1, 10)).toBe(1)
})
