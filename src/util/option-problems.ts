import { z } from 'zod'
import { didYouMean } from './closest.js'
import { type Problem, problem } from './problem.js'

type Issue = z.core.$ZodIssue

/** The alternative that `given` chooses by the discriminator of a union; any other schema as it is. */
function alternativeOf(schema: z.ZodType, given: unknown): z.ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema
  const options = schema.options as z.ZodObject[]
  const choice = (given as Record<string, unknown> | undefined)?.[schema.def.discriminator]
  return options.find((option) => option.shape[schema.def.discriminator]!.safeParse(choice).success) ?? options[0]!
}

/** The member names that a schema knows at `path` of what was given. */
function membersAt(schema: z.ZodType, given: unknown, path: readonly PropertyKey[]): string[] {
  let inner: unknown = schema
  let value = given
  for (const key of [...path, null]) {
    while (inner && typeof inner === 'object' && 'unwrap' in inner && !(inner instanceof z.ZodArray))
      inner = (inner as { unwrap(): unknown }).unwrap()
    if (inner instanceof z.ZodType) inner = alternativeOf(inner, value)
    if (key === null) break
    value = (value as Record<PropertyKey, unknown> | undefined)?.[key]
    inner = inner instanceof z.ZodArray ? inner.element : (inner as { shape?: Record<string, unknown> } | undefined)?.shape?.[String(key)]
  }
  return Object.keys((inner as { shape?: Record<string, unknown> } | undefined)?.shape ?? {})
}

/** What may stand where an issue is, where that is a list of words. */
function choicesOf(issue: Issue): string[] | null {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code !== 'invalid_union' || !issue.discriminator) return null
  return ((issue as { options?: readonly unknown[] }).options ?? []).filter((option) => option !== undefined).map(String)
}

/** `Too small: expected number to be >0` is `number to be >0`: what came is told anyway. */
const expectedOf = (message: string): string =>
  message
    .replace(/^(?:Invalid \w+|Too small|Too big): (?:expected )?/, '')
    .replace(/, received .*$/, '')
    .replace(/^Invalid (?=\S)/, 'a valid ')

/** What came where an issue is; of a union it is the discriminator that is wrong, not the whole. */
function foundOf(issue: Issue): unknown {
  if (issue.code !== 'invalid_union' || !issue.discriminator) return issue.input
  return (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator]
}

const shown = (value: unknown): string => (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing'))

/** What is wrong with options, each with its path, what may stand there, and what was probably meant. The error is of `given`, parsed with `reportInput`. */
export function problemsOfOptions(name: string, schema: z.ZodType, given: unknown, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const where = [name, ...issue.path.map(String)].join('.')
    const told = (code: string, found: unknown, legal: readonly string[] | null, expected: string) => {
      const suggestion = legal && typeof found === 'string' ? didYouMean(found, legal) : undefined
      const text = code === 'unknown-option' ? String(found) : shown(found)
      return problem({ code, where, found: text, expected, ...(suggestion ? { suggestion } : {}) })
    }
    if (issue.code === 'unrecognized_keys') {
      const legal = membersAt(schema, given, issue.path)
      return issue.keys.map((key) => told('unknown-option', key, legal, `one of ${legal.join(', ')}`))
    }
    const choices = choicesOf(issue)
    return [told('bad-option', foundOf(issue), choices, choices ? `one of ${choices.join(', ')}` : expectedOf(issue.message))]
  })
}
