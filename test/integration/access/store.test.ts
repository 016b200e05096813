import { expect, it } from 'vitest'
import { appendAudit, readAudit, readProjects, readSystems, saveProject, saveSystem } from '../../../src/access/store.js'
import { freshDatabase } from '../../support/database.js'

it('keeps projects and their systems, and renames without forgetting', async () => {
  const { database } = await freshDatabase()
  const bank = await saveProject(database, { id: 'bank', name: 'The Bank', description: 'money' })
  expect(bank).toEqual({ id: 'bank', name: 'The Bank', description: 'money', createdAt: expect.any(Date) })
  await saveProject(database, { id: 'art' })
  expect(await saveProject(database, { id: 'bank', name: 'Bank' })).toEqual({ ...bank, name: 'Bank' })
  expect((await readProjects(database)).map(({ id, name }) => [id, name])).toEqual([
    ['art', 'art'],
    ['bank', 'Bank'],
  ])
  await saveSystem(database, { projectId: 'bank', id: 'hive', name: 'Hive' })
  await saveSystem(database, { projectId: 'bank', id: 'hive' })
  await saveSystem(database, { projectId: 'art', id: 'hive' })
  expect((await readSystems(database)).map(({ projectId, id, name }) => [projectId, id, name])).toEqual([
    ['art', 'hive', 'hive'],
    ['bank', 'hive', 'Hive'],
  ])
  expect(await readSystems(database, 'nobody')).toEqual([])
})

it.each(['a/b', '', 'a b', 'x'.repeat(101), "a'b"])('refuses the id "%s"', async (id) => {
  const { database } = await freshDatabase()
  await expect(saveProject(database, { id })).rejects.toMatchObject({ code: 'BAD_INPUT' })
})

it('refuses a system of no project', async () => {
  const { database } = await freshDatabase()
  await expect(saveSystem(database, { projectId: 'none', id: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('keeps the audit log, newest first, filtered and in pages', async () => {
  const { database } = await freshDatabase()
  for (let i = 0; i < 5; i++)
    await appendAudit(database, { actor: i % 2 ? 'ann' : 'bob', action: 'run-cypher', subject: 'graph', details: { i } })
  const [newest, ...rest] = await readAudit(database, { first: 2 })
  expect(newest).toMatchObject({ actor: 'bob', action: 'run-cypher', subject: 'graph', details: { i: 4 }, at: expect.any(Date) })
  expect((await readAudit(database, { after: rest[0]!.id })).map(({ details }) => details['i'])).toEqual([2, 1, 0])
  expect((await readAudit(database, { actor: 'ann' })).map(({ details }) => details['i'])).toEqual([3, 1])
  expect(await readAudit(database, { action: 'other' })).toEqual([])
})
