import { readFileSync } from 'node:fs'
import { type DirectiveNode, Kind, type ObjectTypeDefinitionNode, parse, type TypeNode } from 'graphql'
import { expect, it } from 'vitest'
import { edgeLabels, nodeKinds } from '../../../src/vocabulary.js'

const { definitions } = parse(readFileSync(new URL('../../../schema/graph.graphql', import.meta.url), 'utf8'))
const types = definitions.filter((d): d is ObjectTypeDefinitionNode => d.kind === Kind.OBJECT_TYPE_DEFINITION)
const directive = (of: { directives?: readonly DirectiveNode[] }, name: string) => of.directives?.find((d) => d.name.value === name)
const argument = (of: DirectiveNode | undefined, name: string): string => {
  const value = of?.arguments?.find((a) => a.name.value === name)?.value
  if (value?.kind === Kind.LIST) return value.values.map((v) => ('value' in v ? String(v.value) : '')).join()
  return value && 'value' in value ? String(value.value) : ''
}
const named = (type: TypeNode): string => (type.kind === Kind.NAMED_TYPE ? type.name.value : named(type.type))
const nodes = types.filter((t) => directive(t, 'node'))
const relationships = nodes.flatMap((t) =>
  (t.fields ?? []).flatMap((f) => {
    const relationship = directive(f, 'relationship')
    if (!relationship) return []
    return [
      {
        from: t.name.value,
        to: named(f.type),
        type: argument(relationship, 'type'),
        direction: argument(relationship, 'direction'),
        properties: argument(relationship, 'properties'),
      },
    ]
  }),
)

it('has a type for every node kind of the vocabulary', () => {
  expect(nodes.map((t) => argument(directive(t, 'node'), 'labels') || t.name.value).sort()).toEqual([...nodeKinds].sort())
})

it('has every edge label of the vocabulary, and every relationship both ways', () => {
  expect([...new Set(relationships.map((r) => r.type))].sort()).toEqual([...edgeLabels].sort())
  const back = { IN: 'OUT', OUT: 'IN' } as Record<string, string>
  for (const { from, to, type, direction, properties } of relationships)
    expect(relationships, `${from} ${type} ${direction} ${to}`).toContainEqual({
      from: to,
      to: from,
      type,
      direction: back[direction],
      properties,
    })
})

it('spells properties in snake_case in the graph and in camelCase here', () => {
  for (const type of types)
    for (const field of type.fields ?? []) {
      const name = field.name.value
      const property = argument(directive(field, 'alias'), 'property') || name
      expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/)
      if (!directive(field, 'relationship') && !directive(field, 'customResolver'))
        expect(property, `${type.name.value}.${name}`).toMatch(/^[a-z][a-z0-9_]*$/)
    }
})
