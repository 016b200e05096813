import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../../../src/access/key-store.js'
import { fieldsOfAnyProject } from '../../../src/api/known-projects.js'
import { buildApiSchema } from '../../../src/api/schema.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let schema: GraphQLSchema
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  schema = await buildApiSchema()
  for (const projectId of ['bank', 'shop'])
    await server.ask(
      `mutation { ingest(projectId: "${projectId}", systemId: "hive", hiveDdls: [{ text: "create table t (a int)" }]) { snapshotId } }`,
    )
})
afterAll(() => server?.close())

/** Something that a type takes, as it is written in a query. */
function anyOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return anyOf(type.ofType)
  if (isListType(type)) return `[${anyOf(type.ofType)}]`
  if (isEnumType(type)) return type.getValues()[0]!.name
  if (isInputObjectType(type)) return `{ ${written(Object.values(type.getFields()).filter((field) => isNonNullType(field.type)))} }`
  return { Int: '1', Float: '1', Boolean: 'true', DateTime: '"2024-01-01T00:00:00Z"', JSON: '{}' }[type.name] ?? '"x"'
}
const written = (args: readonly Pick<GraphQLArgument, 'name' | 'type'>[]): string =>
  args.map(({ name, type }) => `${name}: ${anyOf(type)}`).join(', ')

const rootFields = (root: 'Query' | 'Mutation') => Object.values((schema.getType(root) as GraphQLObjectType).getFields())
/** A call of every root field that takes one of `names`, with it and whatever else it must have. */
function callsWith(name: string, value: string, given: Record<string, string> = {}): { name: string; query: string }[] {
  return (['Query', 'Mutation'] as const).flatMap((root) =>
    rootFields(root)
      .filter(
        (field) =>
          !fieldsOfAnyProject.has(field.name) && [name, ...Object.keys(given)].every((each) => field.args.some((arg) => arg.name === each)),
      )
      .map((field) => {
        const others = field.args.filter(
          (arg) => isNonNullType(arg.type) && arg.defaultValue === undefined && arg.name !== name && !(arg.name in given),
        )
        const isLeaf = isLeafType(isNonNullType(field.type) ? field.type.ofType : field.type)
        const args = [
          `${name}: ${value}`,
          ...Object.entries(given).map((pair) => pair.join(': ')),
          ...(others.length > 0 ? [written(others)] : []),
        ].join(', ')
        return { name: field.name, query: `${root.toLowerCase()} { ${field.name}(${args}) ${isLeaf ? '' : '{ __typename }'} }` }
      }),
  )
}

describe('a project that nobody knows', () => {
  test('is said by every field that takes one, with what was probably meant', async () => {
    const calls = [...callsWith('projectId', '"bnak"'), ...callsWith('projectIds', '["bank", "bnak"]')]
    expect(calls.length).toBeGreaterThan(20)
    for (const { name, query } of calls) {
      const { errors } = await server.post(query)
      expect({ name, message: errors?.[0]?.message, ...errors?.[0]?.extensions }).toMatchObject({
        ...{ name, code: 'NOT_FOUND', message: 'there is no project "bnak"', remedy: 'Did you mean "bank"?' },
      })
    }
  })

  test('nor has a project systems that nobody knows', async () => {
    const calls = callsWith('systemId', '"hvie"', { projectId: '"bank"' })
    expect(calls.length).toBeGreaterThan(5)
    for (const { name, query } of calls) {
      const { errors } = await server.post(query)
      expect({ name, message: errors?.[0]?.message, ...errors?.[0]?.extensions }).toMatchObject({
        ...{ name, code: 'NOT_FOUND', message: 'project "bank" has no system "hvie"', remedy: 'Did you mean "hive"?' },
      })
    }
  })

  test('is said before a run of learning is queued', async () => {
    const { errors } = await server.post('mutation { startRun(kind: LEARN_PATTERNS, options: { projectIds: ["shpo"] }) { id } }')
    expect(errors?.[0]).toMatchObject({ message: 'there is no project "shpo"', extensions: { code: 'NOT_FOUND' } })
  })

  test('names no field that is not there', () => {
    const known = new Set([...rootFields('Query'), ...rootFields('Mutation')].map(({ name }) => name))
    const subscriptions = Object.keys((schema.getType('Subscription') as GraphQLObjectType).getFields())
    expect([...fieldsOfAnyProject].filter((name) => !known.has(name) && !subscriptions.includes(name))).toEqual([])
  })

  test('tells a stranger nothing of the projects of others', async () => {
    const { token } = await createKey(platform.database, {
      name: 'clerk',
      scopes: ['catalog:read'],
      projects: ['shop', 'bnak'],
      createdBy: 'test',
    })
    const { errors } = await server.post('{ quality(projectId: "bnak") { projectId } }', {}, { 'x-api-key': token })
    expect(errors?.[0]).toMatchObject({ message: 'there is no project "bnak"', extensions: { remedy: 'There is shop.' } })
    const outside = await server.post('{ quality(projectId: "bank") { projectId } }', {}, { 'x-api-key': token })
    expect(outside.errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  })
})
