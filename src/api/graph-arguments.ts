import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import { EspalierError } from '../util/error.js'
import { refuseCursor } from './types/paging.js'

/**
 * What @neo4j/graphql leaves to the graph engine, or gets wrong (7.6.3), is put right before its resolvers see a query: a negative `first` is
 * said to be one rather than sent to the engine, a cursor that is none is refused rather than taken for the first page, and a selection of
 * nothing but `__typename` (a syntax error in its Cypher for `edges { node { __typename } }`, no rows at all for `edges { __typename }`)
 * selects a field more, which the answer does not show.
 */
export function checkGraphReads(merged: GraphQLSchema, graph: GraphQLSchema): void {
  const roots = graph.getQueryType()!.getFields()
  for (const [name, field] of Object.entries(merged.getQueryType()!.getFields())) {
    const inner = field.resolve
    if (!roots[name] || !inner) continue
    const checked: GraphQLFieldResolver<unknown, unknown> = (source, args, context, info) =>
      inner(source, args, context, new Reading(graph, info).info())
    field.resolve = checked
  }
}

class Reading {
  private readonly fragments: Record<string, FragmentDefinitionNode> = {}
  constructor(
    /** what belongs to the platform is not in it, and stays as it is */
    private readonly graph: GraphQLSchema,
    private readonly original: GraphQLResolveInfo,
  ) {}

  info(): GraphQLResolveInfo {
    const { fieldNodes, fragments } = this.original
    const nodes = fieldNodes.map((node) => this.field(this.graph.getQueryType()!, node))
    return { ...this.original, fieldNodes: nodes, fragments: { ...fragments, ...this.fragments } }
  }

  private field(parent: GraphQLObjectType, node: FieldNode): FieldNode {
    const definition = parent.getFields()[node.name.value]
    if (!definition) return node
    this.checkArguments(node)
    const type = getNamedType(definition.type)
    return node.selectionSet && isObjectType(type) ? { ...node, selectionSet: this.filled(type, node.selectionSet) } : node
  }

  private filled(type: GraphQLObjectType, set: SelectionSetNode): SelectionSetNode {
    const selections = this.selections(type, set)
    const filler = this.selectsFields(set) ? null : fillerOf(type)
    return { ...set, selections: filler ? [...selections, filler] : selections }
  }

  private selections(type: GraphQLObjectType, set: SelectionSetNode): SelectionNode[] {
    return set.selections.map((selection) => {
      if (selection.kind === Kind.FIELD) return this.field(type, selection)
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        this.fragment(selection.name.value)
        return selection
      }
      return { ...selection, selectionSet: { ...selection.selectionSet, selections: this.selections(type, selection.selectionSet) } }
    })
  }

  private fragment(name: string): void {
    const fragment = this.original.fragments[name]
    if (!fragment || name in this.fragments) return
    this.fragments[name] = fragment
    const type = this.graph.getType(fragment.typeCondition.name.value)
    if (!isObjectType(type)) return
    this.fragments[name] = {
      ...fragment,
      selectionSet: { ...fragment.selectionSet, selections: this.selections(type, fragment.selectionSet) },
    }
  }

  private selectsFields(set: SelectionSetNode): boolean {
    return set.selections.some((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value !== '__typename'
      if (selection.kind === Kind.INLINE_FRAGMENT) return this.selectsFields(selection.selectionSet)
      const fragment = this.original.fragments[selection.name.value]
      return fragment !== undefined && this.selectsFields(fragment.selectionSet)
    })
  }

  private checkArguments(node: FieldNode): void {
    for (const argument of node.arguments ?? []) {
      const name = argument.name.value
      const value = argument.value.kind === Kind.OBJECT ? undefined : valueFromASTUntyped(argument.value, this.original.variableValues)
      if (counts.has(name) && typeof value === 'number' && value < 0)
        throw new EspalierError('BAD_INPUT', `${node.name.value}.${name}: found ${value}, expected a whole number from 0`, {
          remedy: 'Leave it out for all that there is.',
        })
      if (name === 'after' && typeof value === 'string' && !cursor.test(Buffer.from(value, 'base64').toString())) refuseCursor(value)
    }
  }
}

const counts = new Set(['first', 'limit', 'offset'])
const cursor = /^arrayconnection:\d+$/

/** A field that can be asked of every such object: a plain one, or one of its parts with a plain one in it. */
function fillerOf(type: GraphQLObjectType): FieldNode | null {
  const fields = Object.values(type.getFields()).filter((field) => !field.args.some(isRequiredArgument))
  const plain =
    ['id', 'cursor'].find((name) => name in type.getFields()) ?? fields.find((field) => isLeafType(getNamedType(field.type)))?.name
  if (plain) return { kind: Kind.FIELD, name: { kind: Kind.NAME, value: plain } }
  for (const { name, type: inner } of fields) {
    const part = getNamedType(inner)
    const filler = isObjectType(part) && !('pageInfo' in part.getFields()) ? fillerOf(part) : null
    if (filler)
      return { kind: Kind.FIELD, name: { kind: Kind.NAME, value: name }, selectionSet: { kind: Kind.SELECTION_SET, selections: [filler] } }
  }
  return null
}
