import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { type AnnotationEdit, type Annotations, noAnnotations } from '../../catalog/people/annotation.js'
import { saveAnnotations } from '../../catalog/people/annotation-store.js'
import { readGlossary, readGlossaryHistory, removeTerm, saveTerm } from '../../catalog/people/glossary-store.js'
import { readNodesById } from '../../catalog/reads/read-store.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime } from '../scalars.js'
import { AnnotationChange, AnnotationInput, GlossaryChange, GlossaryTerm } from '../types/annotations.js'
import { CatalogNode } from '../types/catalog.js'

const speaker = ({ actor }: ApiContext) => ({ actor, now: new Date() })

/** Writes edits and their audit rows in one transaction; answers the nodes, as they are now, in the order of the ids. */
async function say(context: ApiContext, action: string, edits: readonly AnnotationEdit[]): Promise<CatalogNode[]> {
  const { database } = context.platform
  const ids = [...new Set(edits.map(({ nodeId }) => nodeId))]
  await database.transaction(async (client) => {
    for (const { nodeId, field, before, after } of await saveAnnotations(client, edits, speaker(context)))
      await appendAudit(client, { actor: context.actor, action, subject: nodeId, details: { field, before, after } })
  })
  context.loaders.forgetAnnotations()
  return (await readNodesById(database, ids)).map((node, i) => node ?? gone(ids[i]!))
}

/** What is said of a node that went stays in the ledger, but there is no node to answer. */
const gone = (id: string): never => {
  throw new EspalierError('NOT_FOUND', `what was said of "${id}" is kept, but the node is not in the catalog now`)
}

function editOf({ nodeId, owners, tags, addTags, removeTags, terms, description }: AnnotationInput): AnnotationEdit[] {
  const lists = present({ owners, terms })
  const first: AnnotationEdit = {
    nodeId,
    ...(lists.owners ? { owners: { set: lists.owners } } : {}),
    ...(lists.terms ? { terms: { set: lists.terms } } : {}),
    ...(tags ? { tags: { set: tags } } : {}),
    ...(description === undefined || description === null ? {} : { description }),
  }
  const added: AnnotationEdit[] = addTags ? [{ nodeId, tags: { add: addTags } }] : []
  const removed: AnnotationEdit[] = removeTags ? [{ nodeId, tags: { remove: removeTags } }] : []
  return [first, ...added, ...removed]
}

const kept = 'It survives every ingest, and has a history of its own.'

@Resolver(() => CatalogNode)
export class AnnotationResolver {
  @Mutation(() => CatalogNode, { description: `Says who answers for a node: these and no others. ${kept}` })
  async setOwners(
    @Ctx() context: ApiContext,
    @Arg('nodeId', () => ID) nodeId: string,
    @Arg('owners', () => [String]) owners: string[],
  ): Promise<CatalogNode> {
    return (await say(context, 'set-owners', [{ nodeId, owners: { set: owners } }]))[0]!
  }

  @Mutation(() => CatalogNode, { description: `Tags a node, besides the tags it has. ${kept}` })
  async addTags(
    @Ctx() context: ApiContext,
    @Arg('nodeId', () => ID) nodeId: string,
    @Arg('tags', () => [String]) tags: string[],
  ): Promise<CatalogNode> {
    return (await say(context, 'add-tags', [{ nodeId, tags: { add: tags } }]))[0]!
  }

  @Mutation(() => CatalogNode, { description: 'Takes tags from a node; those it has not are passed over.' })
  async removeTags(
    @Ctx() context: ApiContext,
    @Arg('nodeId', () => ID) nodeId: string,
    @Arg('tags', () => [String]) tags: string[],
  ): Promise<CatalogNode> {
    return (await say(context, 'remove-tags', [{ nodeId, tags: { remove: tags } }]))[0]!
  }

  @Mutation(() => CatalogNode, { description: `Says which terms of its project's glossary a node is about: these and no others. ${kept}` })
  async setTerms(
    @Ctx() context: ApiContext,
    @Arg('nodeId', () => ID) nodeId: string,
    @Arg('terms', () => [String]) terms: string[],
  ): Promise<CatalogNode> {
    return (await say(context, 'set-terms', [{ nodeId, terms: { set: terms } }]))[0]!
  }

  @Mutation(() => CatalogNode, {
    description: `Describes a node in people's words; null or empty text takes the description away. ${kept}`,
  })
  async describe(
    @Ctx() context: ApiContext,
    @Arg('nodeId', () => ID) nodeId: string,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<CatalogNode> {
    return (await say(context, 'describe', [{ nodeId, description: description ?? null }]))[0]!
  }

  @Mutation(() => [CatalogNode], { description: 'Says things of many nodes (up to 1,000 edits), all or nothing.' })
  annotate(
    @Ctx() context: ApiContext,
    @Arg('annotations', () => [AnnotationInput]) annotations: AnnotationInput[],
  ): Promise<CatalogNode[]> {
    return say(context, 'annotate', annotations.flatMap(editOf))
  }

  @Mutation(() => GlossaryTerm, { description: "Defines a term of a project's glossary, or says anew what it means." })
  defineTerm(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String) name: string,
    @Arg('definition', () => String) definition: string,
  ): Promise<GlossaryTerm> {
    const { platform, actor } = context
    return platform.database.transaction(async (client) => {
      const term = await saveTerm(client, { projectId, name, definition }, speaker(context))
      await appendAudit(client, { actor, action: 'define-term', subject: `${projectId}/${term.name}`, details: { definition } })
      return term
    })
  }

  @Mutation(() => Boolean, { description: 'Takes a term back; refused while nodes carry it.' })
  async removeTerm(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String) name: string,
  ): Promise<boolean> {
    const { platform, actor } = context
    await platform.database.transaction(async (client) => {
      await removeTerm(client, projectId, name, speaker(context))
      await appendAudit(client, { actor, action: 'remove-term', subject: `${projectId}/${name}` })
    })
    return true
  }

  @Query(() => [GlossaryTerm], { description: "The terms of a project's glossary, by name; now, or as of a moment." })
  glossary(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
  ): Promise<GlossaryTerm[]> {
    return readGlossary(platform.database, projectId, present({ asOf }))
  }

  @Query(() => [GlossaryChange], { description: 'All that was ever said of the terms of a project, or of one of them.' })
  glossaryHistory(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String, { nullable: true }) name?: string | null,
  ): Promise<GlossaryChange[]> {
    return readGlossaryHistory(platform.database, projectId, name ?? undefined)
  }

  @FieldResolver(() => [String], { description: 'Who answers for it, as people say' })
  async owners(@Root() node: CatalogNode, @Ctx() context: ApiContext): Promise<string[]> {
    return (await said(node, context)).owners
  }

  @FieldResolver(() => [String], { description: 'As people tagged it' })
  async tags(@Root() node: CatalogNode, @Ctx() context: ApiContext): Promise<string[]> {
    return (await said(node, context)).tags
  }

  @FieldResolver(() => [String], { description: "Words of the project's glossary that it is about" })
  async terms(@Root() node: CatalogNode, @Ctx() context: ApiContext): Promise<string[]> {
    return (await said(node, context)).terms
  }

  @FieldResolver(() => String, { nullable: true, description: "In people's words; what the source says is in its properties" })
  async description(@Root() node: CatalogNode, @Ctx() context: ApiContext): Promise<string | null> {
    return (await said(node, context)).description
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'When people last said something of it' })
  async annotatedAt(@Root() node: CatalogNode, @Ctx() context: ApiContext): Promise<Date | null> {
    return (await said(node, context)).annotatedAt
  }

  @FieldResolver(() => [AnnotationChange], { description: 'All that people ever said of it, in order of time' })
  annotationHistory(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<AnnotationChange[]> {
    return loaders.annotationHistory.load(node.id)
  }
}

/** As people said it at the node's own moment. */
const said = async (node: CatalogNode, { loaders }: ApiContext): Promise<Annotations> =>
  (await loaders.annotationsAt(node.asOf).load(node.id)) ?? noAnnotations
