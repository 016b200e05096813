/**
 * What Cypher 5 has and the embedded engine (Grafeo 0.6.0) does not: the guard refuses it there with the hint, rather than let the engine
 * answer with a syntax error, or wrongly. The contract suite runs every example: refused on Grafeo, answered by Neo4j. What is rewritten
 * instead: `UNION DISTINCT`, a procedure called without parentheses, keywords as names, the functions of `sameFunctions`.
 */
export interface Gap {
  /** why it is refused */
  reason: string
  /** what to write instead */
  hint: string
  example: string
}

export const grafeoGaps = {
  pathFunction: {
    reason: 'its search for shortest paths was seen not to come back',
    hint: 'Use MATCH p = (a)-[*1..6]-(b) RETURN p ORDER BY length(p) LIMIT 1',
    example: 'MATCH p = shortestPath((a:Table)-[:DATA_FLOW*..6]->(b:View)) RETURN p',
  },
  collect: {
    reason: 'its parser has no COLLECT { … }',
    hint: 'Use a pattern comprehension: [(t)-[:HAS_COLUMN]->(c) | c.name]',
    example: 'MATCH (t:Table) RETURN COLLECT { MATCH (t)-[:HAS_COLUMN]->(c) RETURN c.name } AS names',
  },
  labelExpression: {
    reason: 'its parser has no label expressions (|, &, !, %) for nodes, and no & and ! for types',
    hint: 'Use MATCH (n) WHERE n:Table OR n:View, or type(r) <> "DATA_FLOW"',
    example: 'MATCH (n:Table|View) RETURN n',
  },
  whereInNode: {
    reason: 'its parser takes no WHERE between the parentheses of a node',
    hint: 'Put WHERE behind the pattern',
    example: 'MATCH (n:Table WHERE n.name = "x") RETURN n',
  },
  pathOfOneNode: {
    reason: 'it leaves the path of a single node undefined',
    hint: 'Return the node itself',
    example: 'MATCH p = (n:Table) RETURN p',
  },
  quantifiedPattern: {
    reason: 'its parser has no quantified patterns',
    hint: 'Use -[:DATA_FLOW*1..3]->',
    example: 'MATCH (a)-[:DATA_FLOW]->{1,3}(b) RETURN a',
  },
  pathInComprehension: {
    reason: 'its parser takes no path variable in a pattern comprehension',
    hint: 'Use MATCH p = … RETURN collect(p)',
    example: 'MATCH (n:Table) RETURN [p = (n)-->() | length(p)] AS lengths',
  },
  projectionOfValues: {
    reason: 'its parser takes a map projection only where a property (.name) comes first',
    hint: 'Put a property first, n {.id, x: 1}, or use a map: {x: 1}',
    example: 'MATCH (n:Table) RETURN n {x: 1} AS m',
  },
  negativeSlice: {
    reason: 'it counts no negative bound of a slice from the end: the answer would be wrong',
    hint: 'Use size(): xs[0..size(xs) - 1]',
    example: 'WITH [1, 2, 3] AS xs RETURN xs[0..-1] AS ys',
  },
} as const satisfies Record<string, Gap>
export type GapName = keyof typeof grafeoGaps

/** Functions that it lacks, by lower-case name, each with a call of it and what to use instead. */
export const missingFunctions: Record<string, { hint: string; example: string }> = {
  isempty: { hint: 'Use size(x) = 0', example: 'isEmpty("")' },
  isnan: { hint: 'Use x <> x', example: 'isNaN(1.5)' },
  tobooleanornull: { hint: 'Use toBoolean(x), which gives null for other text', example: 'toBooleanOrNull("x")' },
  tofloatornull: { hint: 'Use toFloat(x), which gives null for other text', example: 'toFloatOrNull("x")' },
  tointegerornull: { hint: 'Use toInteger(x), which gives null for other text', example: 'toIntegerOrNull("x")' },
  tostringornull: { hint: 'Use toString(x)', example: 'toStringOrNull(1)' },
  valuetype: { hint: 'There is nothing like it on the embedded graph', example: 'valueType(1)' },
  tobooleanlist: { hint: 'Use [x IN xs | toBoolean(x)]', example: 'toBooleanList(["true"])' },
  tofloatlist: { hint: 'Use [x IN xs | toFloat(x)]', example: 'toFloatList(["1"])' },
  tointegerlist: { hint: 'Use [x IN xs | toInteger(x)]', example: 'toIntegerList(["1"])' },
  tostringlist: { hint: 'Use [x IN xs | toString(x)]', example: 'toStringList([1])' },
  cot: { hint: 'Use cos(x) / sin(x)', example: 'cot(1)' },
  haversin: { hint: 'Use (1 - cos(x)) / 2', example: 'haversin(0)' },
  btrim: { hint: 'Use trim(x)', example: 'btrim(" a ")' },
  point: { hint: 'There are no points on the embedded graph', example: 'point({x: 1, y: 2})' },
  'point.distance': { hint: 'There are no points on the embedded graph', example: 'point.distance(null, null)' },
  'point.withinbbox': { hint: 'There are no points on the embedded graph', example: 'point.withinBBox(null, null, null)' },
  ...Object.fromEntries(
    ['date', 'datetime', 'localdatetime', 'localtime', 'time'].map((kind) => [
      `${kind}.truncate`,
      {
        hint: 'Compare with the first moments of the span: d >= date("2024-01-01")',
        example: `${kind}.truncate("${kind.endsWith('time') ? 'hour' : 'day'}", ${kind}())`,
      },
    ]),
  ),
  'datetime.fromepoch': { hint: 'Use datetime("1970-01-01T00:00:00Z") + duration({seconds: x})', example: 'datetime.fromEpoch(0, 0)' },
  'datetime.fromepochmillis': {
    hint: 'Use datetime("1970-01-01T00:00:00Z") + duration({milliseconds: x})',
    example: 'datetime.fromEpochMillis(0)',
  },
  ...Object.fromEntries(
    ['between', 'indays', 'inmonths', 'inseconds'].map((unit) => [
      `duration.${unit}`,
      { hint: 'Compare the moments themselves', example: `duration.${unit}(date("2024-01-01"), date("2024-01-02"))` },
    ]),
  ),
}

/** Functions that it has under another name. */
export const sameFunctions: Record<string, string> = { character_length: 'char_length' }

/** What it says of queries that the guard cannot judge, and what to do about it. */
export const failureHints: readonly { says: RegExp; hint: string }[] = [
  { says: /aggregate/i, hint: 'Aggregate first: WITH count(n) AS c RETURN {c: c}' },
  { says: /literal or parameter for SKIP\/LIMIT/, hint: 'Give SKIP and LIMIT a number or a parameter' },
  { says: /row of the answer is larger/, hint: 'Return fewer or smaller values: aggregate, or page with SKIP and LIMIT' },
  { says: /is not a map value, a node or an edge/, hint: 'Name it first: WITH date("2024-01-02") AS d RETURN d.year' },
]
