/** The words the guard knows, as tables: everything that is not here is refused. */

/** First words of the clauses that may be used. */
export const clauseWords = ['MATCH', 'OPTIONAL', 'WHERE', 'WITH', 'RETURN', 'ORDER', 'SKIP', 'LIMIT', 'UNWIND', 'CALL', 'UNION'] as const
export type ClauseWord = (typeof clauseWords)[number]
export const isClauseWord = (upper: string): upper is ClauseWord => (clauseWords as readonly string[]).includes(upper)

const readOnly = 'The graph is read-only for queries: facts enter by ingest'
const administration = 'Administration is not done by queries'
const noBatches = 'Subqueries in transactions only serve writes'

/** Words that write or reach outside the graph: refused at any depth, unless they plainly are a property, a label, a map key or a parameter. */
export const refusedWords: Record<string, string> = {
  CREATE: readOnly,
  MERGE: readOnly,
  SET: readOnly,
  DELETE: readOnly,
  DETACH: readOnly,
  NODETACH: readOnly,
  REMOVE: readOnly,
  INSERT: readOnly,
  FOREACH: 'FOREACH only serves writes: use UNWIND or a list comprehension',
  DROP: administration,
  ALTER: administration,
  LOAD: 'LOAD CSV reads files: it is never allowed',
  USE: 'There is one graph: leave USE out',
  TRANSACTIONS: noBatches,
}

/** Words that are known clauses or commands of some Cypher, refused where a clause could begin. */
export const refusedClauses: Record<string, string> = {
  GRANT: administration,
  DENY: administration,
  REVOKE: administration,
  START: administration,
  STOP: administration,
  TERMINATE: administration,
  ENABLE: administration,
  DEALLOCATE: administration,
  REALLOCATE: administration,
  RENAME: administration,
  DRYRUN: administration,
  SESSION: administration,
  SHOW: 'Use CALL db.labels(), db.relationshipTypes() or db.propertyKeys()',
  EXPLAIN: 'Plans differ by engine: run the query itself',
  PROFILE: 'Plans differ by engine: run the query itself',
  CYPHER: 'Query options cannot be chosen: leave the prefix out',
  USING: 'Planner hints are not allowed: leave USING out',
  PERIODIC: noBatches,
  FINISH: 'A query must return something: end it with RETURN',
  FILTER: 'Use WITH * WHERE …',
  LET: 'Use WITH *, … AS …',
  FOR: 'Use UNWIND … AS …',
  NEXT: 'Use WITH',
  OFFSET: 'Use SKIP',
}

/** Words inside expressions and patterns, by what must stand before (an operand or not) and what follows. */
export type OperatorRole = 'prefix' | 'infix' | 'postfix' | 'operand'
export const operatorWords: Record<string, OperatorRole> = {
  NOT: 'prefix',
  DISTINCT: 'prefix',
  CASE: 'prefix',
  AND: 'infix',
  OR: 'infix',
  XOR: 'infix',
  IN: 'infix',
  CONTAINS: 'infix',
  STARTS: 'infix',
  ENDS: 'infix',
  AS: 'infix',
  WHEN: 'infix',
  THEN: 'infix',
  ELSE: 'infix',
  WHERE: 'infix',
  YIELD: 'infix',
  IS: 'infix',
  END: 'postfix',
  ASC: 'postfix',
  ASCENDING: 'postfix',
  DESC: 'postfix',
  DESCENDING: 'postfix',
  NULL: 'operand',
  TRUE: 'operand',
  FALSE: 'operand',
}

/** Words before `{` that open a subquery inside an expression. */
export const subqueryWords = ['EXISTS', 'COUNT', 'COLLECT']

/** Procedures that only list names, present in both engines. */
export const allowedProcedures = ['db.labels', 'db.relationshipTypes', 'db.propertyKeys']

/** Path functions of Neo4j; Grafeo's search never came back, and cannot be cancelled. */
export const pathFunctions = ['shortestPath', 'allShortestPaths']

/** Read-only functions of Cypher 5 (the manual's list), without those that read files or other graphs. */
export const allowedFunctions = new Set(
  `all any none single exists isempty isnan isnan coalesce elementid endnode startnode head last id length char_length character_length
  nullif properties randomuuid size timestamp toboolean tobooleanornull tofloat tofloatornull tointeger tointegerornull tostring tostringornull
  type valuetype avg collect count max min percentilecont percentiledisc stdev stdevp sum keys labels nodes range reduce relationships reverse
  tail tobooleanlist tofloatlist tointegerlist tostringlist abs ceil floor rand round sign e exp log log10 sqrt acos asin atan atan2 cos cot
  degrees haversin pi radians sin tan btrim left lower ltrim normalize replace right rtrim split substring tolower toupper trim upper
  date date.truncate datetime datetime.truncate datetime.fromepoch datetime.fromepochmillis duration duration.between duration.indays
  duration.inmonths duration.inseconds localdatetime localdatetime.truncate localtime localtime.truncate time time.truncate
  point point.distance point.withinbbox`.split(/\s+/),
)

/** The label of the platform's own node (statements.ts): no query names or sees it. */
export const hiddenLabel = 'EspalierMeta'
