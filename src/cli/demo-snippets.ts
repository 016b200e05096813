export interface Snippet {
  title: string
  language: 'GraphQL' | 'Cypher'
  text: string
}

/** What the demo prints for its users to paste; a test pastes each of them. */
export function demoSnippets(projectId: string): Snippet[] {
  return [
    {
      title: 'Tables with their columns, from the graph',
      language: 'GraphQL',
      text: `{ tables(limit: 3, sort: [{ name: ASC }]) { qualifiedName columns(limit: 4) { name dataType } } }`,
    },
    {
      title: 'What changed between two moments, from the ledger',
      language: 'GraphQL',
      text: `{ diff(projectId: "${projectId}", systemId: "hive", from: "2026-02-15T00:00:00Z", to: "2026-09-01T00:00:00Z") { isPartial nodes { id kind change } } }`,
    },
    {
      title: 'What will become of an int column within half a year',
      language: 'GraphQL',
      text: `{ predictSchemaEvolution(projectId: "${projectId}", currentType: "int", column: "customer_id", horizonDays: 180) { type change probability } }`,
    },
    {
      title: 'The links that the model in production expects of a column',
      language: 'GraphQL',
      text: `{ predictLinks(nodeId: "${projectId}/hive/column:core.account.opened_by", k: 3, includeKnown: true) { artifactId links { targetId score } } }`,
    },
    {
      title: 'Which models learned from this table',
      language: 'Cypher',
      text: `MATCH (a:Artifact)-[:PRODUCED_BY]->(:Run)-[:USED]->(:DatasetVersion)-[:DERIVED_FROM]->(t:Table) WHERE t.qualified_name = 'core.account' RETURN a.id AS model, a.aliases AS aliases`,
    },
    {
      title: 'Foreign keys whose name is not that of the column they point to',
      language: 'Cypher',
      text: `MATCH (a:Column)-[:REFERENCES]->(b:Column) WHERE a.name <> b.name RETURN a.qualified_name AS key, b.qualified_name AS target ORDER BY key LIMIT 10`,
    },
    {
      title: 'Jobs that wait for other jobs, two steps deep',
      language: 'Cypher',
      text: `MATCH (a:ControlMJob)-[:DEPENDS_ON*1..2]->(b:ControlMJob) RETURN a.name AS job, collect(DISTINCT b.name) AS waits_for ORDER BY job LIMIT 10`,
    },
  ]
}
