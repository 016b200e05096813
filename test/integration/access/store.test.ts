import { expect, it } from 'vitest'
import {
  appendAudit,
  readAudit,
  readProject,
  readProjectSettings,
  readProjects,
  readSystems,
  removeProject,
  removeSystem,
  saveProject,
  saveProjectSettings,
  saveSystem,
} from '../../../src/access/store.js'
import { freshDatabase } from '../../support/database.js'

it('keeps projects and their systems, and renames without forgetting', async () => {
  const { database } = await freshDatabase()
  const bank = await saveProject(database, { id: 'bank', name: 'The Bank', description: 'money' })
  expect(bank).toEqual({
    id: 'bank',
    name: 'The Bank',
    description: 'money',
    createdAt: expect.any(Date),
    rejectBelow: null,
    idealDistribution: null,
  })
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

it('keeps what ingests into a project take by default', async () => {
  const { database } = await freshDatabase()
  expect(await readProjectSettings(database, 'bank')).toEqual({ rejectBelow: null, idealDistribution: null })
  await expect(saveProjectSettings(database, 'bank', { rejectBelow: 0.5 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await saveProject(database, { id: 'bank' })
  await saveProjectSettings(database, 'bank', { rejectBelow: 0.5, idealDistribution: { string: 3, number: 1 } })
  expect(await saveProjectSettings(database, 'bank', { rejectBelow: null })).toMatchObject({ rejectBelow: null })
  // renaming forgets nothing
  await saveProject(database, { id: 'bank', name: 'Bank' })
  expect(await readProject(database, 'bank')).toMatchObject({
    name: 'Bank',
    rejectBelow: null,
    idealDistribution: { string: 3, number: 1 },
  })
  expect(await saveProjectSettings(database, 'bank', { idealDistribution: null })).toMatchObject({ idealDistribution: null })
  await expect(readProject(database, 'bnak')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: 'Did you mean "bank"?' })
})

it.each([
  [{ rejectBelow: 1.2 }, 'rejectBelow: found 1.2'],
  [{ rejectBelow: Number.NaN }, 'rejectBelow: found NaN'],
  [{ idealDistribution: { strng: 1 } }, 'found the type "strng"'],
  [{ idealDistribution: { string: -1 } }, 'found -1 for string'],
  [{ idealDistribution: { string: 0 } }, 'found no share above 0'],
])('refuses the settings %j', async (settings, message) => {
  const { database } = await freshDatabase()
  await saveProject(database, { id: 'bank' })
  await expect(saveProjectSettings(database, 'bank', settings as never)).rejects.toMatchObject({
    ...{ code: 'BAD_INPUT', message: expect.stringContaining(message) },
  })
})

it('takes projects and systems from the lists', async () => {
  const { database } = await freshDatabase()
  await saveProject(database, { id: 'bank' })
  for (const id of ['hive', 'jobs']) await saveSystem(database, { projectId: 'bank', id })
  expect(await removeSystem(database, 'bank', 'hive')).toBe(true)
  expect(await removeSystem(database, 'bank', 'hive')).toBe(false)
  expect((await readSystems(database)).map(({ id }) => id)).toEqual(['jobs'])
  expect(await removeProject(database, 'bank')).toBe(true)
  expect(await readSystems(database)).toEqual([])
})
