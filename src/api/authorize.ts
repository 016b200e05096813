import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isInputObjectType,
  Kind,
  type ObjectFieldNode,
  TypeInfo,
  type ValueNode,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { assertProject, assertScope, assertUnlimited, type Principal } from '../access/principal.js'
import { auditDeed } from '../training-data.js'
import { EspalierError } from '../util/error.js'
import type { ApiContext } from './context.js'
import { assertKnownProjects } from './known-projects.js'
import { type Arguments, type Permission, permissions } from './permissions.js'

type Field = GraphQLField<unknown, ApiContext, Arguments>
const roots = ['Query', 'Mutation', 'Subscription'] as const

/** Puts the table of permissions before every root field of `schema`, in place; returns it. `graphFields`: those of @neo4j/graphql. */
export function guardSchema(schema: GraphQLSchema, graphFields: ReadonlySet<string>): GraphQLSchema {
  for (const root of roots) {
    const type = schema.getType(root) as GraphQLObjectType | undefined
    for (const field of Object.values(type?.getFields() ?? {}))
      if (root === 'Query' && graphFields.has(field.name)) guardGraphField(field)
      else guardField(field, permissions[root][field.name], root)
  }
  return schema
}

/** A field that is missing in the table. */
const unknownField: Permission = { scope: 'admin', reach: 'everything' }

/** Throws FORBIDDEN unless the caller has the scope, and may see every project that the arguments lead to. */
export async function assertPermission(
  { scope, reach, projectOf }: Permission,
  args: Arguments,
  context: ApiContext,
  deed: string,
): Promise<void> {
  const { principal } = context
  for (const each of [typeof scope === 'function' ? scope(args) : scope].flat()) assertScope(principal, each, deed)
  if (principal.projects === null || reach === 'nothing' || projectOf) return
  const reached = reach === 'everything' ? [] : await reach(args, context)
  if (reached.length === 0) assertUnlimited(principal, deed)
  for (const project of reached) assertProject(principal, project, deed)
}

function guardField(field: Field, permission: Permission = unknownField, root: string): void {
  const { resolve, subscribe, name } = field
  const deed = `${root}.${name}`
  const visible = (result: unknown, { projects }: Principal) =>
    permission.projectOf && projects && Array.isArray(result)
      ? result.filter((item) => projects.has(permission.projectOf!(item) ?? ''))
      : result
  if (subscribe) {
    field.subscribe = async (parent, args, context, info) => {
      await assertPermission(permission, args, context, deed)
      return subscribe(parent, args, context, info)
    }
    return
  }
  field.resolve = async (parent, args, context, info) => {
    await assertPermission(permission, args, context, deed).catch((refusal) => noteDenial(permission, args, context, deed, refusal))
    await assertKnownProjects(name, args, context)
    return visible(await resolve?.(parent, args, context, info), context.principal)
  }
}

/** Whoever was refused training data is noted, as the REST doors do. Throws the refusal. */
async function noteDenial(
  { scope }: Permission,
  args: Arguments,
  { platform, actor }: ApiContext,
  deed: string,
  refusal: unknown,
): Promise<never> {
  if (typeof scope === 'string' && scope.startsWith('training_data:') && refusal instanceof EspalierError && refusal.code === 'FORBIDDEN')
    await auditDeed(platform.database, actor, 'denied', String(args['id'] ?? args['versionId'] ?? args['projectId'] ?? ''), { deed })
  throw refusal
}

/** A graph read: scope, and for a caller with limits the filter by project on every level of the selection. */
function guardGraphField(field: Field): void {
  const { resolve, name } = field
  field.resolve = (parent, args, context, info) => {
    const { principal } = context
    assertScope(principal, 'catalog:read', `Query.${name}`)
    if (principal.projects === null) return resolve?.(parent, args, context, info)
    const projects = [...principal.projects]
    const where = both(args['where'], { projectId: { in: projects } })
    return resolve?.(parent, { ...args, where }, context, limitSelection(info, projects))
  }
}

const both = (given: unknown, limit: object) => (given ? { AND: [given, limit] } : limit)

const literal = (value: unknown): ValueNode => {
  if (Array.isArray(value)) return { kind: Kind.LIST, values: value.map(literal) }
  if (typeof value === 'string') return { kind: Kind.STRING, value }
  return { kind: Kind.OBJECT, fields: Object.entries(value as object).map(([name, inner]) => objectField(name, literal(inner))) }
}
const objectField = (name: string, value: ValueNode): ObjectFieldNode => ({
  kind: Kind.OBJECT_FIELD,
  name: { kind: Kind.NAME, value: name },
  value,
})

/**
 * The same selection with `where: { projectId: { in: projects } }` on every field that takes one: edges between projects are rare (a run
 * that learned from two), and must not be a way around the limit. The root's own `where` is the caller's affair.
 */
function limitSelection(info: GraphQLResolveInfo, projects: readonly string[]): GraphQLResolveInfo {
  const limit = { projectId: { in: projects } }
  const limited = <Node extends FieldNode | FragmentDefinitionNode>(node: Node, start?: GraphQLObjectType): Node => {
    const types = new TypeInfo(info.schema, start)
    return visit(
      node,
      visitWithTypeInfo(types, {
        Field(field) {
          const argument = types.getFieldDef()?.args.find((it) => it.name === 'where')
          if (!argument || !isInputObjectType(argument.type)) return undefined
          const known = argument.type.getFields()
          const own = 'projectId' in known ? limit : 'node' in known ? { node: limit } : null
          if (!own) return undefined
          const given = field.arguments?.find((it) => it.name.value === 'where')
          const value: ValueNode = given
            ? { kind: Kind.OBJECT, fields: [objectField('AND', { kind: Kind.LIST, values: [given.value as ValueNode, literal(own)] })] }
            : literal(own)
          const rest = (field.arguments ?? []).filter((it) => it !== given)
          return {
            ...field,
            arguments: [...rest, { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: 'where' }, value }],
          } as FieldNode
        },
      }),
    )
  }
  return {
    ...info,
    fieldNodes: info.fieldNodes.map((node) => limited(node, info.parentType)),
    fragments: Object.fromEntries(Object.entries(info.fragments).map(([name, fragment]) => [name, limited(fragment)])),
  }
}
