import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
  type ValueNode,
} from 'graphql'

/** A list whose size nobody said counts as this many (the default page of every connection). */
export const assumedListSize = 25
/** A size given by a variable is not known while validating; pages are never larger than this. */
export const variableListSize = 100

const sizeArguments = new Set(['first', 'last', 'limit', 'k', 'buckets'])

interface Scope {
  schema: GraphQLSchema
  fragment(name: string): FragmentDefinitionNode | null | undefined
  /** sums of fragments by type, and the ones being summed (a cycle is graphql's own error) */
  known: Map<string, number>
}

const isList = (type: GraphQLOutputType): boolean => isListType(isNonNullType(type) ? type.ofType : type)

const intOf = (node: ValueNode): number | undefined =>
  node.kind === Kind.INT ? Math.max(Number(node.value), 0) : node.kind === Kind.VARIABLE ? variableListSize : undefined

/** The page that a field's arguments ask for; @neo4j/graphql's older `options: { limit }` included. */
function pageOf(field: FieldNode): number | undefined {
  for (const argument of field.arguments ?? []) {
    if (sizeArguments.has(argument.name.value)) return intOf(argument.value)
    if (argument.name.value !== 'options' || argument.value.kind !== Kind.OBJECT) continue
    const limit = argument.value.fields.find((f) => f.name.value === 'limit')
    if (limit) return intOf(limit.value)
  }
  return undefined
}

/** Estimated fields of the answer below one selection set; `page` is the size that an enclosing connection was asked for. */
function costOf(selections: SelectionSetNode, typeName: string, page: number | undefined, scope: Scope): number {
  const type = scope.schema.getType(typeName)
  let sum = 0
  for (const selection of selections.selections) {
    if (selection.kind === Kind.FIELD) {
      const definition = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined
      if (definition) sum += fieldCost(selection, definition.type, page, scope)
      else sum += selection.name.value.startsWith('__') ? 0 : 1
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      sum += costOf(selection.selectionSet, selection.typeCondition?.name.value ?? typeName, page, scope)
    } else {
      sum += spreadCost(selection.name.value, page, scope)
    }
  }
  return sum
}

function fieldCost(field: FieldNode, type: GraphQLOutputType, page: number | undefined, scope: Scope): number {
  if (!field.selectionSet || !isCompositeType(getNamedType(type))) return 1
  const asked = pageOf(field)
  const inner = costOf(field.selectionSet, getNamedType(type).name, isList(type) ? undefined : asked, scope)
  return isList(type) ? 1 + (asked ?? page ?? assumedListSize) * inner : 1 + inner
}

function spreadCost(name: string, page: number | undefined, scope: Scope): number {
  const key = `${name} ${page}`
  const known = scope.known.get(key)
  if (known !== undefined) return known
  scope.known.set(key, 0)
  const fragment = scope.fragment(name)
  const cost = fragment ? costOf(fragment.selectionSet, fragment.typeCondition.name.value, page, scope) : 0
  scope.known.set(key, cost)
  return cost
}

/** Estimated number of fields that an operation's answer has. */
export function estimateCost(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragment: (name: string) => FragmentDefinitionNode | null | undefined,
): number {
  const root = schema.getRootType(operation.operation)
  return root ? costOf(operation.selectionSet, root.name, undefined, { schema, fragment, known: new Map() }) : 0
}

/** The deepest of any number of values: a list of numbers may be longer than a call can have arguments. */
const deepest = <T>(values: readonly T[], depthOf: (value: T) => number): number =>
  values.reduce((most, value) => Math.max(most, depthOf(value)), 0)

function inputDepth(value: ValueNode): number {
  if (value.kind === Kind.LIST) return deepest(value.values, inputDepth)
  if (value.kind === Kind.OBJECT) return 1 + deepest(value.fields, (f) => inputDepth(f.value))
  return 0
}

/** Refuses operations whose estimated answer, or whose nested literal input, is beyond the limits. */
export const costRule =
  (limits: { cost: number; inputDepth: number }): ValidationRule =>
  (context) => ({
    OperationDefinition(operation) {
      const cost = estimateCost(context.getSchema(), operation, (name) => context.getFragment(name))
      if (cost <= limits.cost) return
      context.reportError(
        new GraphQLError(
          `The answer could have about ${cost.toLocaleString('en')} fields, the limit is ${limits.cost.toLocaleString('en')}`,
          {
            nodes: operation,
            extensions: { limit: 'cost', remedy: 'Ask for smaller pages with "first" or "limit", or for fewer levels at once.' },
          },
        ),
      )
    },
    Argument(argument) {
      const depth = inputDepth(argument.value)
      if (depth <= limits.inputDepth) return
      context.reportError(
        new GraphQLError(`Argument "${argument.name.value}" nests ${depth} objects, the limit is ${limits.inputDepth}`, {
          nodes: argument,
          extensions: { limit: 'input-depth', remedy: 'Flatten the filter, or split it over several requests.' },
        }),
      )
    },
  })

function depthOfValue(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  const inner = deepest(Object.values(value), depthOfValue)
  return Array.isArray(value) ? inner : 1 + inner
}

/** Why these variables are refused, or undefined. */
export function variablesRefusal(variables: unknown, limit: number): GraphQLError | undefined {
  const depth = depthOfValue(variables ?? {}) - 1
  if (depth <= limit) return undefined
  return new GraphQLError(`The variables nest ${depth} objects, the limit is ${limit}`, {
    extensions: { limit: 'input-depth', remedy: 'Flatten the filter, or split it over several requests.', http: { status: 400 } },
  })
}
