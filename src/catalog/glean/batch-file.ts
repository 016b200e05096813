import { messageOf } from '../../util/error.js'
import { type NewFact, type Predicate, predicateName, predicateOf, type RawKey } from './predicates.js'

/** Facts of one predicate as a batch file holds them. */
export interface BatchGroup {
  /** full name: `agenticAiETH.ETL.Node.1` */
  name: string
  /** null where it is none that we read */
  predicate: Predicate | null
  keys: RawKey[]
}

/** What is wrong with a text that should be a batch file. */
export class NoBatch extends Error {}

const isRecord = (value: unknown): value is RawKey => typeof value === 'object' && value !== null && !Array.isArray(value)

function groupOf(group: unknown, i: number): BatchGroup {
  const expected = 'expected { "predicate": "<namespace>.<Name>.<version>", "facts": [{ "key": { … } }] }'
  if (!isRecord(group) || typeof group['predicate'] !== 'string' || !Array.isArray(group['facts']))
    throw new NoBatch(`element ${i} is no group of facts: ${expected}`)
  const keys = group['facts'].map((fact: unknown, j) => {
    if (isRecord(fact) && isRecord(fact['key'])) return fact['key']
    throw new NoBatch(`fact ${j} of element ${i} (${String(group['predicate'])}) has no key: ${expected}`)
  })
  return { name: group['predicate'], predicate: predicateOf(group['predicate']), keys }
}

/** Reads a batch file: a JSON array of `{ predicate, facts: [{ key }] }`. Throws NoBatch that says where and what was expected. */
export function parseBatch(text: string): BatchGroup[] {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new NoBatch(`not JSON: ${messageOf(cause)}`, { cause })
  }
  if (!Array.isArray(value)) throw new NoBatch('expected a JSON array of { predicate, facts }')
  return value.map(groupOf)
}

/** The text of a batch file in pieces, facts of one predicate in a row as one group. */
export async function* printBatch(facts: AsyncIterable<NewFact> | Iterable<NewFact>, prefix: string): AsyncGenerator<string> {
  let open: Predicate | null = null
  yield '[\n'
  for await (const { predicate, key } of facts) {
    const fact = `{"key":${JSON.stringify(key)}}`
    if (predicate === open) yield `,\n${fact}`
    else yield `${open ? ']},\n' : ''}{"predicate":${JSON.stringify(predicateName(prefix, predicate))},"facts":[\n${fact}`
    open = predicate
  }
  yield open ? ']}\n]\n' : ']\n'
}

/** `20240131T235959Z`, as names of files and instances begin. */
export const fileTime = (at: Date): string => `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

/** `graph_20240131T235959Z_1f2e3d.json` */
export const batchFileName = (name: string): string => `graph_${name}.json`

/** The Unix seconds in the name of a batch file; null where it is not named like one of ours. */
export function timeOfFileName(file: string): number | null {
  const [, year, month, day, hour, minute, second] = /^graph_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z_[^/]+\.json$/.exec(file) ?? []
  return year ? Date.UTC(+year, +month! - 1, +day!, +hour!, +minute!, +second!) / 1000 : null
}
