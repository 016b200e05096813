import 'reflect-metadata'
import { Field, Float, Int, ObjectType } from 'type-graphql'
import type { AskedWord, SearchField, Highlight as StoredHighlight } from '../../catalog/search/search.js'
import { CatalogNode } from './catalog.js'
import { SearchFieldEnum } from './enums.js'
import { PageInfo } from './paging.js'

@ObjectType({ description: 'Where in a text it was found, in UTF-16 units.' })
export class HighlightMatch {
  @Field(() => Int) start!: number
  @Field(() => Int) length!: number
}

@ObjectType({ description: 'A text of the node in which something was found; a long one is cut around it.' })
export class Highlight implements StoredHighlight {
  @Field(() => SearchFieldEnum) field!: SearchField
  @Field(() => String) text!: string
  @Field(() => [HighlightMatch]) matches!: HighlightMatch[]
}

@ObjectType()
export class SearchEdge {
  @Field(() => String) cursor!: string
  @Field(() => CatalogNode) node!: CatalogNode
  @Field(() => Float, { description: 'The better the higher; comparable within one answer only' }) score!: number
  @Field(() => [Highlight]) highlights!: Highlight[]
}

@ObjectType({ description: 'A word that found next to nothing, and the known words it was taken for.' })
export class Correction implements AskedWord {
  @Field(() => String) word!: string
  @Field(() => [String]) meant!: string[]
}

@ObjectType()
export class SearchConnection {
  @Field(() => [SearchEdge]) edges!: SearchEdge[]
  @Field(() => PageInfo) pageInfo!: PageInfo
  @Field(() => Int, { description: 'All that match, also those that were not ranked' }) readonly totalCount!: number | Promise<number>
  @Field(() => [Correction]) corrections!: AskedWord[]
  @Field(() => Boolean, { description: 'More match than were ranked: the best names are here, of lesser matches some may not be' })
  isPartial!: boolean
}
