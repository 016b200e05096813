import 'reflect-metadata'
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql'
import { EspalierError } from '../../util/error.js'

export const defaultPage = 25
export const largestPage = 1_000

/** The same type that @neo4j/graphql defines: one PageInfo for both halves. */
@ObjectType()
export class PageInfo {
  @Field(() => Boolean) hasNextPage!: boolean
  @Field(() => Boolean) hasPreviousPage!: boolean
  @Field(() => String, { nullable: true }) startCursor!: string | null
  @Field(() => String, { nullable: true }) endCursor!: string | null
}

@ArgsType()
export class PageArguments {
  @Field(() => Int, { defaultValue: defaultPage, description: `Items at most, 1 to ${largestPage}` }) first!: number
  @Field(() => String, { nullable: true, description: 'The cursor after which to begin' }) after?: string | null
}

export interface Connection<T> {
  edges: { cursor: string; node: T }[]
  pageInfo: PageInfo
  /** a getter: counted only when it is selected */
  readonly totalCount: number | Promise<number>
}

/** The Relay connection type of `node`, named `<name>Connection`. */
export function connectionType<T extends object>(name: string, node: () => ClassType<T>): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(() => String) cursor!: string
    @Field(node) node!: T
  }
  @ObjectType(`${name}Connection`)
  class ConnectionOfNode implements Connection<T> {
    @Field(() => [Edge]) edges!: Edge[]
    @Field(() => PageInfo) pageInfo!: PageInfo
    @Field(() => Int, { description: 'All items that match, not only this page' }) readonly totalCount!: number | Promise<number>
  }
  return ConnectionOfNode
}

/** Cursors are opaque to clients; inside they hold the sort key of the item. */
export const encodeCursor = (key: readonly (string | number)[]): string => Buffer.from(JSON.stringify(key)).toString('base64url')

export function decodeCursor(cursor: string, length: number): (string | number)[] {
  try {
    const key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown
    if (Array.isArray(key) && key.length === length && key.every((k) => typeof k === 'string' || typeof k === 'number')) return key
  } catch {
    // falls through: said below
  }
  return refuseCursor(cursor)
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** The id in a cursor of things whose ids are UUIDs. */
export function uuidOfCursor(cursor: string): string {
  const [id] = decodeCursor(cursor, 1)
  return uuid.test(String(id)) ? String(id) : refuseCursor(cursor)
}

/** Says that a text is no cursor. */
export function refuseCursor(cursor: string): never {
  throw new EspalierError('BAD_INPUT', `after: "${cursor.slice(0, 60)}" is no cursor of this connection`, {
    remedy: 'Give a cursor that pageInfo.endCursor or an edge of the same query answered.',
  })
}

/** Checks `first`; the schema says only that it is an Int. */
export function pageSize(first: number): number {
  if (first >= 1 && first <= largestPage) return first
  throw new EspalierError('BAD_INPUT', `first: found ${first}, expected 1 to ${largestPage}`)
}

/** A page from one row more than was asked for: the extra row only tells that there is a next page. */
export function pageOf<T>(
  rows: readonly T[],
  { first, after }: { first: number; after?: string | null | undefined },
  cursorOf: (row: T, index: number) => string,
  count: () => number | Promise<number>,
): Connection<T> {
  const edges = rows.slice(0, first).map((node, index) => ({ node, cursor: cursorOf(node, index) }))
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: Boolean(after),
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    get totalCount() {
      return count()
    },
  }
}

/** How many items a cursor of `pageByOffset` has behind it. */
export function offsetOf({ after }: PageArguments): number {
  if (!after) return 0
  const [seen] = decodeCursor(after, 1)
  return typeof seen === 'number' && Number.isSafeInteger(seen) && seen >= 0 ? seen : refuseCursor(after)
}

/** A page of a list that is read by offset: its cursors count the items up to and including theirs. */
export function pageByOffset<T>(rows: readonly T[], page: PageArguments, count: () => Promise<number>): Connection<T> {
  const offset = offsetOf(page)
  return pageOf(rows, page, (_, index) => encodeCursor([offset + index + 1]), count)
}
