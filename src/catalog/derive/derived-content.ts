import { sha256 } from '../../util/hash.js'
import type { EdgeFact, NodeFact } from '../fact.js'
import { asUuid, canonicalOf, encodeContent, encodeEdge } from '../ledger/staged-row.js'

/** The content of a derived fact as `fact_version` has it. */
export interface DerivedContent {
  version: string
  json: string
  name: string | null
  qualifiedName: string | null
  canonical: string | null
}

/** A derived node has a version of its own: when a text comes to state the very same, that is to be seen. (Edges have their own keys.) */
export function encodeDerived(fact: NodeFact | EdgeFact): DerivedContent {
  if (fact.fact === 'edge') return { ...encodeEdge(fact.properties), name: null, qualifiedName: null, canonical: null }
  const { kind, name, qualifiedName, properties } = fact
  const { json, version } = encodeContent({ name, qualifiedName, properties })
  return { version: asUuid(sha256(`derived\0${version}`)), json, name, qualifiedName, canonical: canonicalOf(kind, properties) }
}
