import { EspalierError } from '../../util/error.js'

/** What people may say of a node. `terms` are words of the project's glossary; `description` holds one text or none. */
export const annotationFields = ['owners', 'tags', 'terms', 'description'] as const
export type AnnotationField = (typeof annotationFields)[number]

/** What people say of one node at a moment. */
export interface Annotations {
  owners: string[]
  tags: string[]
  terms: string[]
  description: string | null
  /** when any of it was last said; null where nothing ever was */
  annotatedAt: Date | null
}

export const noAnnotations: Readonly<Annotations> = { owners: [], tags: [], terms: [], description: null, annotatedAt: null }

export interface Speaker {
  /** who says so: an API key's name, a user, or `local` */
  actor: string
  now: Date
}

export type ListEdit = { set: readonly string[] } | { add: readonly string[] } | { remove: readonly string[] }

/** What somebody wants to say of a node; what is left out stays as it is. */
export interface AnnotationEdit {
  nodeId: string
  owners?: ListEdit
  tags?: ListEdit
  terms?: ListEdit
  /** null or white space alone: none */
  description?: string | null
}

/** One field of one node from `before` to `after`; they differ. */
export interface AnnotationStep {
  nodeId: string
  field: AnnotationField
  before: string[]
  after: string[]
}

const longest = { item: 200, description: 10_000 }
const mostItems = 100

const refuse = (where: string, found: string, expected: string, remedy?: string): never => {
  throw new EspalierError('BAD_INPUT', `${where}: found ${found}, expected ${expected}`, remedy ? { remedy } : {})
}

/** The text as it is kept: without surrounding space, in NFC, so that what looks the same is the same. */
const tidy = (text: string): string => text.normalize('NFC').trim()

/** A name as it is kept; refuses empty and overlong ones, and control characters (line ends too). */
export function tidyName(where: string, text: string): string {
  const name = tidy(text)
  if (name.length >= 1 && name.length <= longest.item && !/[\p{Cc}\p{Cs}]/u.test(name)) return name
  return refuse(where, JSON.stringify(text.slice(0, 80)), `1 to ${longest.item} characters on one line`)
}

/** A text of several lines as it is kept; null for none. */
export function tidyText(where: string, text: string | null): string | null {
  const kept = tidy(text ?? '')
  if (kept.length > longest.description) refuse(where, `${kept.length} characters`, `up to ${longest.description.toLocaleString('en')}`)
  if (/[\0\p{Cs}]/u.test(kept)) refuse(where, 'characters that no text can hold', 'Unicode text')
  return kept || null
}

function editList(where: string, before: readonly string[], edit: ListEdit): string[] {
  const said = ('set' in edit ? edit.set : 'add' in edit ? edit.add : edit.remove).map((item) => tidyName(where, item))
  if ('remove' in edit) return before.filter((item) => !said.includes(item))
  const after = [...new Set('set' in edit ? said : [...before, ...said])]
  if (after.length > mostItems) refuse(where, `${after.length} items`, `up to ${mostItems} for one node`)
  return after
}

/** What an edit makes of each field of a node, by the items that were there; fields that stay as they are are left out. */
export function planEdit(edit: AnnotationEdit, items: Readonly<Partial<Record<AnnotationField, readonly string[]>>>): AnnotationStep[] {
  const where = (field: AnnotationField) => `${field} of ${edit.nodeId}`
  const steps: AnnotationStep[] = []
  for (const field of annotationFields) {
    const wanted = edit[field]
    if (wanted === undefined) continue
    const before = [...(items[field] ?? [])]
    const after =
      wanted === null || typeof wanted === 'string'
        ? [tidyText(where(field), wanted)].filter((text) => text !== null)
        : editList(where(field), before, wanted)
    if (before.length !== after.length || before.some((item, i) => item !== after[i]))
      steps.push({ nodeId: edit.nodeId, field, before, after })
  }
  return steps
}
