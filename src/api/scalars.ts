import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { GraphQLJSON } from 'graphql-scalars'

/**
 * The scalars of both halves of the schema. DateTime and BigInt exist in each half under one name, so one implementation serves both:
 * it gives out whatever either half holds (Date, ISO text, driver temporal; bigint, number, text, driver Integer) and takes input as
 * JavaScript's own value, which `driverParameters` turns into what the graph's driver wants.
 */

const isoDateTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

const show = (value: unknown): string => {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Reads ISO-8601: a date (midnight UTC) or a date and time with its zone. Throws a GraphQLError that says what was expected. */
export function parseDateTime(value: unknown): Date {
  const expected = 'expected ISO-8601 such as "2024-05-01" or "2024-05-01T12:00:00Z"'
  if (typeof value !== 'string') throw new GraphQLError(`DateTime: found ${show(value)}, ${expected}`)
  const match = isoDateTime.exec(value.trim())
  if (!match) throw new GraphQLError(`DateTime: found ${show(value)}, ${expected}`)
  if (value.includes('T') && !match[1])
    throw new GraphQLError(`DateTime: ${show(value)} has no zone; end it with Z or an offset like +02:00`)
  const date = new Date(value.trim().replace(/([+-]\d{2})(\d{2})$/, (whole, h, m) => (value.includes('T') ? `${h}:${m}` : whole)))
  if (Number.isNaN(date.getTime())) throw new GraphQLError(`DateTime: ${show(value)} is no date that exists, ${expected}`)
  return date
}

function serializeDateTime(value: unknown): string {
  // a driver's temporal prints ISO text, with the zone's name in brackets at its end
  const text =
    value instanceof Date || typeof value === 'string' ? value : isTemporal(value) ? value.toString().replace(/\[.*\]$/, '') : undefined
  const date = text === undefined ? undefined : new Date(text)
  if (!date || Number.isNaN(date.getTime())) throw new GraphQLError(`DateTime cannot represent ${show(value)}`)
  return date.toISOString()
}
const isTemporal = (value: unknown): value is { toString(): string } =>
  typeof value === 'object' && value !== null && '__isDateTime__' in value

const literal = (node: ValueNode, kinds: readonly Kind[], name: string): string => {
  if (!kinds.includes(node.kind) || !('value' in node)) throw new GraphQLError(`${name}: found a ${node.kind}`, { nodes: node })
  return String(node.value)
}

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment as ISO-8601 text. Input needs a zone unless it is a date alone (midnight UTC); output is UTC with milliseconds.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: serializeDateTime,
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(literal(node, [Kind.STRING], 'DateTime')),
})

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

function parseBigInt(value: unknown): bigint {
  const whole =
    typeof value === 'bigint'
      ? value
      : typeof value === 'number' && Number.isSafeInteger(value)
        ? BigInt(value)
        : typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value)
          ? BigInt(value)
          : undefined
  if (whole === undefined) throw new GraphQLError(`BigInt: found ${show(value)}, expected a whole number or its digits as a string`)
  if (whole < int64.min || whole > int64.max) throw new GraphQLError(`BigInt: ${whole} does not fit 64 bits`)
  return whole
}

function serializeBigInt(value: unknown): string {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return value.toString()
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return value
  if (isInteger(value)) return value.toString()
  throw new GraphQLError(`BigInt cannot represent ${show(value)}`)
}
const isInteger = (value: unknown): value is { toString(): string } =>
  typeof value === 'object' && value !== null && '__isInteger__' in value

export const BigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description: 'A whole number of up to 64 bits. Given as a number or as its digits in a string; always answered as a string.',
  serialize: serializeBigInt,
  parseValue: parseBigInt,
  parseLiteral: (node) => parseBigInt(literal(node, [Kind.INT, Kind.STRING], 'BigInt')),
})

const special = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, '-Infinity': Number.NEGATIVE_INFINITY } as const

function parseMetricValue(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value in special) return special[value as keyof typeof special]
  throw new GraphQLError(`MetricValue: found ${show(value)}, expected a number, "NaN", "Infinity" or "-Infinity"`)
}

/** Float refuses NaN and the infinities, and one of them would null a whole subscription payload; a training run meets them daily. */
export const MetricValue = new GraphQLScalarType<number, number | string>({
  name: 'MetricValue',
  description: 'A number, or one of the strings "NaN", "Infinity", "-Infinity", which JSON numbers cannot carry.',
  serialize: (value) => {
    const number = parseMetricValue(value)
    return Number.isFinite(number) ? number : String(number)
  },
  parseValue: parseMetricValue,
  parseLiteral: (node) => {
    const text = literal(node, [Kind.INT, Kind.FLOAT, Kind.STRING], 'MetricValue')
    return parseMetricValue(node.kind === Kind.STRING ? text : Number(text))
  },
})

export const JsonScalar = GraphQLJSON
