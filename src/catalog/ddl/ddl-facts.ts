import { didYouMean } from '../../util/closest.js'
import { sha256 } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { EdgeLabel, NodeKind, Properties, TypeTree } from '../../vocabulary.js'
import type { EdgeFact, Fact, NodeFact, SourceContext, Unresolved, UnresolvedTarget } from '../fact.js'
import { nodeId } from '../identity.js'
import { qualify } from '../sql/names.js'
import { canonicalType, printType } from '../sql/type-tree.js'
import {
  type Column,
  type ColumnSource,
  type Estate,
  type Flow,
  type ForeignKey,
  findColumn,
  type Lineage,
  type QueryRecord,
  type Relation,
} from './ddl-estate.js'

/** The facts of a finished script: databases, then tables and views with their columns, then what connects them, then removals. */
export function factsOf(estate: Estate, context: SourceContext): { facts: Fact[]; problems: Problem[] } {
  const writer = new FactWriter(estate, context)
  for (const database of estate.databases.values()) writer.database(database.name, database.properties, database.line)
  for (const relation of estate.relations.values()) writer.relation(relation)
  for (const relation of estate.relations.values()) {
    for (const key of relation.foreignKeys) writer.foreignKey(relation, key)
    if (relation.lineage)
      writer.lineage(relation.lineage, writer.relationId(relation), writer.keyOf(relation), relation.line, relation.kind)
  }
  for (const query of estate.queries) writer.query(query)
  writer.removals()
  return { facts: writer.facts, problems: writer.problems }
}

/** One end of an edge: a node's id, or '' with the mark that tells what to look for. */
interface End {
  id: string
  properties: Properties
}

class FactWriter {
  readonly facts: Fact[] = []
  readonly problems: Problem[] = []
  private readonly seen = new Set<string>()

  constructor(
    private readonly estate: Estate,
    private readonly context: SourceContext,
  ) {}

  keyOf = (relation: Relation): string => qualify(this.estate.fold(relation.database), this.estate.fold(relation.name))
  relationId = (relation: Relation): string => this.id(relation.kind, this.keyOf(relation))
  private id = (kind: NodeKind, qualifiedName: string): string => nodeId(this.context.projectId, this.context.systemId, kind, qualifiedName)
  private columnId = (relation: string, column: string): string => this.id('Column', `${relation}.${qualify(this.estate.fold(column))}`)
  private provenance = (line: number) => ({ dialect: this.estate.dialect, file: this.context.file, location: `line ${line}` })

  private node(fact: Omit<NodeFact, 'fact' | 'provenance'>, line: number): void {
    this.facts.push({ fact: 'node', ...fact, provenance: this.provenance(line) })
  }

  private edge(
    sourceId: string,
    label: EdgeLabel,
    targetId: string,
    line: number,
    properties: Properties = {},
    more: Partial<EdgeFact> = {},
  ): void {
    const open = JSON.stringify([properties['unresolved'], properties['unresolved_target']])
    const key = `${sourceId}\n${label}\n${targetId}\n${more.discriminator ?? ''}\n${open}`
    if (this.seen.has(key)) return
    this.seen.add(key)
    this.facts.push({ fact: 'edge', sourceId, label, targetId, properties, provenance: this.provenance(line), ...more })
  }

  database(name: string, properties: Properties | null, line: number): void {
    const qualifiedName = qualify(this.estate.fold(name))
    const fact = {
      id: this.id('Database', qualifiedName),
      kind: 'Database' as const,
      name,
      qualifiedName: qualify(name),
      properties: properties ?? {},
    }
    this.node(properties === null ? { ...fact, partial: true } : fact, line)
  }

  relation(relation: Relation): void {
    const isStandIn = !relation.complete && relation.lineage === null && relation.properties['like'] === undefined
    if (isStandIn && relation.columns.length === 0 && Object.keys(relation.properties).length === 0) return
    const id = this.relationId(relation)
    const seen = relation.observedAt ? { observedAt: relation.observedAt } : {}
    const counted: Properties = relation.complete ? { column_count: relation.columns.length } : {}
    const qualifiedName = qualify(relation.database, relation.name)
    const properties = { ...relation.properties, ...counted }
    this.node(
      { id, kind: relation.kind, name: relation.name, qualifiedName, properties, ...seen, ...(isStandIn ? { partial: true } : {}) },
      relation.line,
    )
    this.edge(this.id('Database', qualify(this.estate.fold(relation.database))), 'CONTAINS', id, relation.line, {}, seen)
    for (const column of relation.columns) this.column(relation, id, column, seen)
  }

  private column(relation: Relation, relationId: string, column: Column, seen: { observedAt?: Date }): void {
    const id = this.columnId(this.keyOf(relation), column.name)
    const qualifiedName = qualify(relation.database, relation.name, column.name)
    const partial = column.partial ? { partial: true as const } : {}
    this.node(
      { id, kind: 'Column', name: column.name, qualifiedName, properties: columnProperties(column), ...seen, ...partial },
      column.line,
    )
    this.edge(relationId, 'HAS_COLUMN', id, column.line, {}, seen)
  }

  foreignKey(relation: Relation, key: ForeignKey): void {
    const target = qualify(this.estate.fold(key.database), this.estate.fold(key.table))
    const own = this.keyOf(relation)
    const referenced = this.estate.relations.get(target)
    const missing = referenced?.complete ? key.referenced.filter((c) => !findColumn(referenced, c, this.estate.fold)) : []
    const name = key.name ?? key.columns.map(this.estate.fold).join(',')
    const isOpen = key.referenced.length === 0
    if (missing.length > 0 || (!isOpen && key.columns.length !== key.referenced.length)) {
      this.problems.push(foreignKeyProblem(this.context.file, relation, key, missing, referenced))
      return
    }
    const common: Properties = {
      constraint: key.name,
      enforced: key.enforced,
      ...(key.rely === undefined ? {} : { rely: key.rely }),
      ...key.actions,
    }
    const seen = { discriminator: name, ...(relation.observedAt ? { observedAt: relation.observedAt } : {}) }
    const whole = { ...common, columns: key.columns, referenced_columns: key.referenced }
    this.edge(this.relationId(relation), 'REFERENCES', this.id('Table', target), key.line, whole, seen)
    // REFERENCES a table by its primary key, which this text does not tell: only the tables are tied
    if (isOpen) return
    key.columns.forEach((column, i) => {
      const properties = { ...common, position: i + 1, of: key.columns.length }
      this.edge(this.columnId(own, column), 'REFERENCES', this.columnId(target, key.referenced[i]!), key.line, properties, seen)
    })
  }

  /** DATA_FLOW into a relation: from its tables, and column by column. */
  lineage(lineage: Lineage, targetId: string, targetKey: string, line: number, by: string): void {
    const origin = by === 'View' ? 'view' : by === 'Table' ? 'create-table-as' : by
    for (const key of lineage.relations) {
      const end = this.relationEnd(key)
      this.edge(end.id, 'DATA_FLOW', targetId, line, { origin, ...end.properties })
    }
    for (const flow of lineage.flows) this.flow(flow, { id: this.columnId(targetKey, flow.column), properties: {} }, line, origin)
    for (const candidates of lineage.stars) {
      const unresolved: Unresolved = { star: true, candidates: candidates.map((c) => this.id('Table', c)) }
      this.edge('', 'DATA_FLOW', targetId, line, { origin, transformation: 'copy', unresolved })
    }
  }

  /** One column's flow from all its sources, into a column that is known or open. */
  private flow({ sources, indirect, transformation, expression }: Flow, target: End, line: number, origin: string): void {
    const common = { origin, transformation, ...(transformation === 'copy' ? {} : { expression: expression.slice(0, 1000) }) }
    const write = (source: ColumnSource, isIndirect: boolean) => {
      const end = this.columnEnd(source)
      const properties = { ...common, ...(isIndirect ? { indirect: true } : {}), ...end.properties, ...target.properties }
      // an edge of its own: elsewhere the same column may flow into the target as a value, and neither fact hides the other
      this.edge(end.id, 'DATA_FLOW', target.id, line, properties, isIndirect ? { discriminator: 'indirect' } : {})
    }
    for (const source of sources) write(source, false)
    for (const source of indirect) write(source, true)
  }

  /** A table of this script by its id; any other by its name, since it may be a view. */
  private relationEnd(key: string): End {
    const known = this.estate.relations.get(key)
    if (known && (known.complete || known.lineage)) return { id: this.relationId(known), properties: {} }
    return { id: '', properties: { unresolved: { table_name: key } } }
  }

  private columnEnd(source: ColumnSource): End {
    if ('relation' in source) return { id: this.columnId(source.relation, source.column), properties: {} }
    return { id: '', properties: { unresolved: { column: source.column, candidates: source.candidates.map((c) => this.id('Table', c)) } } }
  }

  query(query: QueryRecord): void {
    const name = `${query.kind}-${sha256(query.text).slice(0, 12)}`
    const id = this.id('SqlQuery', name)
    this.node(
      { id, kind: 'SqlQuery', name, qualifiedName: name, properties: { kind: query.kind, text: query.text, ...query.properties } },
      query.line,
    )
    for (const key of query.lineage.relations) {
      const end = this.relationEnd(key)
      this.edge(id, 'READS', end.id, query.line, end.properties)
    }
    if (query.target === null) return
    const target = this.relationEnd(query.target)
    this.edge(id, 'WRITES', target.id, query.line, target.properties)
    if (target.id !== '') this.lineage(query.lineage, target.id, query.target, query.line, query.kind)
    else this.openFlows(query, query.target)
  }

  /** INSERT into a table of another text: which columns it has is for ingest to find out. */
  private openFlows({ lineage, openColumns, line, kind }: QueryRecord, table: string): void {
    if (!openColumns) return
    lineage.flows.forEach((flow, position) => {
      const column = openColumns.by === 'name' ? { column: flow.column } : { position, except: openColumns.except }
      const mark: UnresolvedTarget = { table_name: table, ...column }
      this.flow(flow, { id: '', properties: { unresolved_target: mark } }, line, kind)
    })
  }

  removals(): void {
    for (const [key, { kind, line }] of this.estate.dropped)
      this.facts.push({ fact: 'removal', id: this.id(kind, key), provenance: this.provenance(line) })
    for (const { relation, column, line } of this.estate.droppedColumns)
      this.facts.push({ fact: 'removal', id: this.columnId(relation, column), provenance: this.provenance(line) })
  }
}

function columnProperties(column: Column): Properties {
  const canonical = column.type ? canonicalType(column.type) : null
  const properties: Properties = {}
  const dataType = column.typeText ?? (column.type ? printType(column.type) : column.written)
  if (dataType !== null) properties['data_type'] = dataType
  if (column.type) properties['type_tree'] = typeProperties(column.type)
  if (canonical) properties['canonical_type'] = canonical
  if (column.ordinal !== null) properties['ordinal'] = column.ordinal
  if (!column.partial || !column.nullable) properties['nullable'] = column.nullable
  if (!column.partial && column.isPartition !== null) properties['is_partition'] = column.isPartition
  if (column.comment !== undefined) properties['comment'] = column.comment
  if (column.defaultValue !== undefined) properties['default'] = column.defaultValue
  if (column.check !== undefined) properties['check'] = column.check
  if (column.isUnique) properties['is_unique'] = true
  if (column.isPrimaryKey) properties['is_primary_key'] = true
  if (column.transformation !== undefined) properties['transformation'] = column.transformation
  return { ...properties, ...column.more }
}

const typeProperties = (type: TypeTree): Properties => JSON.parse(JSON.stringify(type)) as Properties

function foreignKeyProblem(
  file: string,
  relation: Relation,
  key: ForeignKey,
  missing: string[],
  referenced: Relation | undefined,
): Problem {
  const target = qualify(key.database, key.table)
  const hint = missing[0] === undefined ? undefined : didYouMean(missing[0], referenced?.columns.map((c) => c.name) ?? [])
  return problem({
    severity: 'warning',
    code: missing.length > 0 ? 'unknown-column' : 'foreign-key-arity',
    where: `${file}:${key.line}:1`,
    found: `foreign key ${key.name ?? ''} of ${relation.name} (${key.columns.join(', ')}) to ${target} (${key.referenced.join(', ')})`,
    expected: missing.length > 0 ? `a column "${missing[0]}" in ${target}` : 'as many referenced columns as referencing ones',
    ...(hint ? { suggestion: hint } : {}),
  })
}
