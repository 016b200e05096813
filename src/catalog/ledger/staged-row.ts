import { canonicalJson, sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import { edgeLabels, type NodeKind, nodeKinds, type Properties } from '../../vocabulary.js'
import type { FactContent } from '../change.js'
import { columnCanonical } from '../column.js'
import type { EdgeFact, NodeFact } from '../fact.js'
import { kindSlugs } from '../identity.js'
import { partsOfId, type Scope } from '../resolve/scope.js'

/** What Postgres can't hold in text: U+0000. */
export const storable = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text)

/** The same inside JSON text, and lone surrogates, which jsonb refuses; they become U+FFFD. */
const storableJson = (json: string): string =>
  json.includes('\\u') ? json.replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi, '$1\uFFFD') : json

export const asUuid = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`

/** The content of a fact as the ledger stores it: canonical JSON of the properties, and the hash that names the version. */
export function encodeContent(
  { name, qualifiedName, properties }: FactContent,
  isPartial = false,
  canonical = canonicalJson(properties),
): { json: string; version: string } {
  const json = storableJson(canonical)
  const text = name === null ? json : `${name}\0${qualifiedName}\0${json}`
  return { json, version: asUuid(sha256(isPartial ? `partial\0${text}` : text)) }
}

/** What a fact says that says nothing. */
export const nothing = encodeContent({ name: null, qualifiedName: null, properties: {} })
/** The same for an edge; most of them say nothing but that they are. */
export const encodeEdge = (properties: Properties, canonical = canonicalJson(properties)): { json: string; version: string } =>
  canonical === '{}' ? nothing : encodeContent({ name: null, qualifiedName: null, properties }, false, canonical)

/** `''` for a column whose type fits none of the six, null for what is no column. */
export const canonicalOf = (kind: NodeKind, properties: Properties): string | null =>
  kind === 'Column' ? (columnCanonical(properties) ?? '') : null

/** Longest id and discriminator, in UTF-16 units: an index entry of Postgres holds 2,700 bytes. */
const longest = 800
const ofThePlatform: ReadonlySet<NodeKind> = new Set(['Project', 'System', 'Run', 'Artifact', 'DatasetVersion'])
const kinds: ReadonlySet<string> = new Set(nodeKinds)
const labels: ReadonlySet<string> = new Set(edgeLabels)

/** Whether an edge between nodes of the system itself can be saved: the rest of what `edgeFault` asks has been asked of them. */
export const isPlainEdge = ({ label, discriminator = '' }: EdgeFact): boolean => labels.has(label) && discriminator.length <= longest

/** With what ids of nodes of a kind begin that a system may tell of; null for those it may not. */
export const idPrefix = ({ projectId, systemId }: Scope, kind: NodeKind): string | null =>
  kinds.has(kind) && !ofThePlatform.has(kind) ? `${projectId}/${systemId}/${kindSlugs[kind]}:` : null

/** Whether there is certainly no fault in a node, by the beginning of its id. */
export const isPlainNode = (id: string, prefix: string | null): boolean =>
  prefix !== null && id.length > prefix.length && id.length <= longest && id.startsWith(prefix)

const place = ({ provenance: { file, location } }: NodeFact | EdgeFact): string => `${file}:${location}`

/** Why a node fact can't be saved; null when it can. */
export function nodeFault(fact: NodeFact, scope: Scope): Problem | null {
  const fault = (code: string, expected: string) => problem({ code, where: place(fact), found: `node ${fact.id}`, expected })
  if (!kinds.has(fact.kind) || ofThePlatform.has(fact.kind)) return fault('unknown-kind', `a kind that metadata can have, not ${fact.kind}`)
  if (fact.id.length > longest) return fault('name-too-long', `an id of at most ${longest} characters`)
  const parts = partsOfId(fact.id)
  if (parts?.projectId !== scope.projectId || parts.systemId !== scope.systemId || parts.kind !== fact.kind)
    return fault('foreign-fact', `an id of kind ${fact.kind} that begins with ${scope.projectId}/${scope.systemId}/`)
  return null
}

/** Why an edge fact can't be saved; null when it can. Ends may lie in another system, but not in another project. */
export function edgeFault(fact: EdgeFact, scope: Scope): Problem | null {
  const fault = (code: string, expected: string) =>
    problem({ code, where: place(fact), found: `edge ${fact.sourceId} -[${fact.label}]-> ${fact.targetId}`, expected })
  if (!labels.has(fact.label)) return fault('unknown-label', 'a label of the vocabulary')
  if ([fact.sourceId, fact.targetId, fact.discriminator ?? ''].some((text) => text.length > longest))
    return fault('name-too-long', `ids and a discriminator of at most ${longest} characters`)
  const isEnd = (id: string) => partsOfId(id)?.projectId === scope.projectId
  return isEnd(fact.sourceId) && isEnd(fact.targetId) ? null : fault('foreign-fact', `ends in project ${scope.projectId}`)
}
