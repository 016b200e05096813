import { hash } from 'node:crypto'

/** SHA-256 as lower-case hex. */
export const sha256 = (content: string | Uint8Array): string => hash('sha256', content)

/**
 * JSON with object keys sorted by code unit and no white space (RFC 8785 for the values we store): equal values give equal text.
 * Throws a TypeError on NaN and Infinity, which JSON cannot carry; `undefined` members are left out.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return numberJson(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return value.toString()
  if (value === null || typeof value !== 'object') return 'null'
  if (value instanceof Date) return JSON.stringify(value.toISOString())
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  let text = ''
  for (const key of sortedKeys(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) text += `${text === '' ? '{' : ','}${keyJson(key)}:${canonicalJson(member)}`
  }
  return text === '' ? '{}' : `${text}}`
}

const mostKeys = 5_000
const knownKeys = new Map<string, string>()
/** Keys are few and come again. */
function keyJson(key: string): string {
  const known = knownKeys.get(key)
  if (known !== undefined) return known
  const json = JSON.stringify(key)
  if (knownKeys.size < mostKeys) knownKeys.set(key, json)
  return json
}

function numberJson(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`canonicalJson: ${value} is not JSON`)
  return `${value}`
}

/** Insertion sort: objects have few keys, and these it sorts in a third of the time of Array.sort. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value)
  if (keys.length > 32) return keys.sort()
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!
    let j = i - 1
    for (; j >= 0 && keys[j]! > key; j--) keys[j + 1] = keys[j]!
    keys[j + 1] = key
  }
  return keys
}

/** SHA-256 of the canonical JSON. */
export const contentHash = (value: unknown): string => sha256(canonicalJson(value))
