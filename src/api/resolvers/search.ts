import { Arg, Args, Ctx, ID, Query, Resolver } from 'type-graphql'
import { search } from '../../catalog/search/search-store.js'
import type { NodeKind } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { NodeKindEnum } from '../types/enums.js'
import { decodeCursor, encodeCursor, PageArguments, pageSize, refuseCursor } from '../types/paging.js'
import { SearchConnection, type SearchEdge } from '../types/search.js'

function afterOf(cursor: string | null | undefined): { after?: { score: number; id: string } } {
  if (!cursor) return {}
  const [score, id] = decodeCursor(cursor, 2)
  return typeof score === 'number' && typeof id === 'string' ? { after: { score, id } } : refuseCursor(cursor)
}

@Resolver()
export class SearchResolver {
  @Query(() => SearchConnection, {
    description:
      'Nodes by what they are called (in any spelling), by comments, and by what people say of them; the best first, slips forgiven.',
  })
  async search(
    @Ctx() { platform, loaders }: ApiContext,
    @Arg('text', () => String, { description: 'Words, or the beginnings of words' }) text: string,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('kinds', () => [NodeKindEnum], { nullable: true }) kinds?: NodeKind[] | null,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) systemId?: string | null,
  ): Promise<SearchConnection> {
    const narrowing = present({ kinds, projectId, systemId })
    const found = await search(platform.database, { text, first: pageSize(page.first), ...narrowing, ...afterOf(page.after) })
    const nodes = await Promise.all(found.hits.map(({ id }) => loaders.nodeAt().load(id)))
    // one that went in between is left out
    const edges = found.hits.flatMap(({ id, score, highlights }, i): SearchEdge[] => {
      const node = nodes[i]
      return node ? [{ cursor: encodeCursor([score, id]), node, score, highlights }] : []
    })
    return {
      edges,
      pageInfo: {
        hasNextPage: found.hasMore,
        hasPreviousPage: Boolean(page.after),
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
      get totalCount() {
        return found.count()
      },
      corrections: found.corrections,
      isPartial: found.isPartial,
    }
  }
}
