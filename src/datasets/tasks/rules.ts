import type { CatalogNode, EdgeLabel } from '../../vocabulary.js'
import { canonicalTypeOf, isPrimaryKey } from '../links/estate.js'
import { dice, editSimilarity, targetFit } from '../links/names.js'
import type { PairScore } from './task.js'

/** How well the name of a reference fits the node, its owner, or both (`owner_id` fits owners.id). */
export const nameFit: PairScore = (query, node, { index }) => targetFit(index.spelling(query).name, index.spelling(node))
export const sameName: PairScore = (query, node, { index }) => Number(index.spelling(query).name === index.spelling(node).name)
export const sameSort: PairScore = (query, node) => Number(query.kind === node.kind && canonicalTypeOf(query) === canonicalTypeOf(node))
export const isKey: PairScore = (_, node) => Number(isPrimaryKey(node))
/** The query is named for the node's owner: customer_id for customers. */
export const namesOwner: PairScore = (query, node, { index }) => editSimilarity(index.spelling(query).stem, index.spelling(node).owner)
export const sameOwner: PairScore = (query, node, { index }) => Number(index.ownerOf(query.id)?.id === index.ownerOf(node.id)?.id)
export const ownersAlike: PairScore = (query, node, { index }) => dice(index.spelling(query).ownerWords, index.spelling(node).ownerWords)
/** The node is known to link to another one itself. */
export const linksItself =
  (label: EdgeLabel): PairScore =>
  (_, { id }, { edges }) =>
    Number(edges(id, [label]).some((e) => e.sourceId === id))

/** One of those that are known to link to the node has the query's very name. */
export const namesakesLink =
  (label: EdgeLabel): PairScore =>
  (query, { id }, { edges, index }) => {
    const asked = index.spelling(query).name
    const isNamesake = (node: CatalogNode | undefined) => node !== undefined && index.spelling(node).name === asked
    return Number(edges(id, [label]).some((e) => e.targetId === id && isNamesake(index.node(e.sourceId))))
  }

/** Rules added up, each with its weight. */
export const sum =
  (...parts: readonly (readonly [number, PairScore])[]): PairScore =>
  (query, node, known) =>
    parts.reduce((total, [weight, part]) => total + weight * part(query, node, known), 0)
