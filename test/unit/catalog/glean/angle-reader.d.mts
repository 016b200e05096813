export type Pattern = {
  string?: string
  nat?: number
  any?: true
  variable?: string
  choice?: Pattern[]
  fields?: Record<string, Pattern>
  fact?: string
  key?: Pattern
}
export interface Statement {
  left?: Pattern
  sign?: string
  right: Pattern
}
export type AngleType = 'string' | 'nat' | 'bool' | { array: AngleType } | { record: Record<string, AngleType> }
export interface AngleSchema {
  predicates: Record<string, AngleType>
}
export function parseQuery(text: string): { term: Pattern | null; statements: Statement[] }
export function runQuery(
  text: string,
  facts: readonly { id: number; predicate: string; key: unknown }[],
  schema: AngleSchema,
  limit?: number,
): { id: number; key: unknown }[]
export function parseSchema(text: string): AngleSchema
export function checkValue(value: unknown, type: AngleType, where: string): void
