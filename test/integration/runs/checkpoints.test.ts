import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readRunBlobs } from '../../../src/runs/blob-reference-store.js'
import { latestCheckpoint, readCheckpoints, saveCheckpoint } from '../../../src/runs/checkpoint-store.js'
import { createRun, transition } from '../../../src/runs/store.js'
import { freshDatabase } from '../../support/database.js'

const { database } = await freshDatabase()
async function runningRun(): Promise<string> {
  const { id } = await createRun(database, { kind: 'train-ggnn', options: {} })
  await transition(database, id, 'running')
  return id
}
const checkpoint = (runId: string, step: number, best: boolean, blob = `${runId}:${step}`) => ({
  runId,
  attempt: 1,
  step,
  blob,
  bytes: 10,
  best,
})

it('keeps the latest and the last best, five at most, and names the blobs that nothing points to', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 14 }), async (bests) => {
      const runId = await runningRun()
      const released: string[] = []
      for (const [step, best] of bests.entries()) released.push(...(await saveCheckpoint(database, checkpoint(runId, step, best))).released)
      const kept = (await readCheckpoints(database, runId)).map(({ step }) => step)
      const lastBest = bests.lastIndexOf(true)
      const newest = bests.map((_, step) => step).reverse()
      // The newest five, unless the last best is older: then it takes the place of the fifth.
      const expected = lastBest === -1 || newest.slice(0, 5).includes(lastBest) ? newest.slice(0, 5) : [...newest.slice(0, 4), lastBest]
      expect(kept).toEqual(expected)
      expect(released.sort()).toEqual(
        newest
          .filter((step) => !expected.includes(step))
          .map((step) => `${runId}:${step}`)
          .sort(),
      )
      expect((await latestCheckpoint(database, runId))!.step).toBe(bests.length - 1)
    }),
    { numRuns: 30 },
  )
})

it('does not release a blob that another checkpoint still needs', async () => {
  const [one, two] = [await runningRun(), await runningRun()]
  await saveCheckpoint(database, checkpoint(two, 0, false, 'shared'))
  await saveCheckpoint(database, checkpoint(one, 0, false, 'shared'))
  for (let step = 1; step < 9; step++)
    expect((await saveCheckpoint(database, checkpoint(one, step, false))).released).not.toContain('shared')
  expect(await readRunBlobs(database, ['shared', 'unknown'])).toEqual(['shared'])
})

it('refuses the checkpoint of an attempt that is over, and has none for a new run', async () => {
  const runId = await runningRun()
  expect(await latestCheckpoint(database, runId)).toBeNull()
  await transition(database, runId, 'pending')
  await transition(database, runId, 'running')
  await expect(saveCheckpoint(database, checkpoint(runId, 1, true))).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await latestCheckpoint(database, runId)).toBeNull()
})
