import type { AnonymousRole, AnonymousTable } from './case.js'

/** What a column is, without its name. */
const markOf = ({ type, isKey, isReference }: AnonymousTable['columns'][number]) => `${type} ${isKey} ${isReference}`

/** 1 - (what two bags have in common) / (what either has); 0 for two empty ones. */
function bagDistance(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>()
  for (const item of a) left.set(item, (left.get(item) ?? 0) + 1)
  let common = 0
  for (const item of b) {
    const n = left.get(item) ?? 0
    if (n > 0) common++
    left.set(item, n - 1)
  }
  const either = a.length + b.length - common
  return either === 0 ? 0 : 1 - common / either
}

/** |a - b| / max(a, b), 0 for two zeros */
const gap = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / Math.max(a, b))

function tableDistance(a: AnonymousTable, b: AnonymousTable): number {
  const order = (table: AnonymousTable) => table.columns.map(({ type }, i) => `${i} ${type}`)
  return (
    bagDistance(a.columns.map(markOf), b.columns.map(markOf)) +
    0.5 * bagDistance(order(a), order(b)) +
    0.5 * gap(a.columns.length, b.columns.length) +
    gap(a.references, b.references) +
    gap(a.referencedBy, b.referencedBy)
  )
}

/** The neighbours of either paired with the likest of the other; one that has no counterpart counts as wholly different. */
function neighbourDistance(a: readonly AnonymousTable[], b: readonly AnonymousTable[]): number {
  const [few, many] = a.length <= b.length ? [a, b] : [b, a]
  if (many.length === 0) return 0
  const free = [...many]
  let sum = 0
  for (const table of few) {
    const distances = free.map((other) => tableDistance(table, other))
    const best = distances.indexOf(Math.min(...distances))
    sum += distances[best]!
    free.splice(best, 1)
  }
  return (sum + 4 * free.length) / many.length
}

/** How unlike two tables are by structure alone: columns by type and part, keys in and out, and the same of the tables around; 0 for the same. */
export const roleDistance = (a: AnonymousRole, b: AnonymousRole): number =>
  tableDistance(a.table, b.table) +
  0.25 * neighbourDistance(a.references, b.references) +
  0.25 * neighbourDistance(a.referencedBy, b.referencedBy)
