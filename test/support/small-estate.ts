import { nodeId } from '../../src/catalog/identity.js'
import type { Estate } from '../../src/datasets/links/estate.js'
import type { CatalogEdge, CatalogNode, EdgeLabel, NodeKind, Properties } from '../../src/vocabulary.js'

const [projectId, systemId] = ['demo', 'hive']

/** Builds estates by hand: databases of tables of columns, with foreign keys. */
export class EstateBuilder {
  private readonly nodes: CatalogNode[] = []
  private readonly edges: CatalogEdge[] = []

  node(kind: NodeKind, qualifiedName: string, name: string, properties: Properties = {}): string {
    const id = nodeId(projectId, systemId, kind, qualifiedName)
    this.nodes.push({ id, kind, name, qualifiedName, projectId, systemId, properties })
    return id
  }

  edge(sourceId: string, label: EdgeLabel, targetId: string, properties: Properties = {}, discriminator = ''): void {
    this.edges.push({ sourceId, label, targetId, discriminator, projectId, systemId, properties })
  }

  database(name: string): string {
    return this.node('Database', name, name)
  }

  /** `columns`: name -> type, the primary key marked by `*`. */
  table(database: string, name: string, columns: Record<string, string>): void {
    const id = this.node('Table', `${database}.${name}`.toLowerCase(), name)
    this.edge(nodeId(projectId, systemId, 'Database', database), 'CONTAINS', id)
    Object.entries(columns).forEach(([column, type], i) => {
      const properties: Properties = { data_type: type.replace('*', ''), ordinal: i + 1 }
      if (type.endsWith('*')) properties['is_primary_key'] = true
      this.edge(id, 'HAS_COLUMN', this.node('Column', `${database}.${name}.${column}`.toLowerCase(), column, properties))
    })
  }

  /** `crm.orders.customer_id` -> `crm.customers.id`, with the tables' own edge; `pairs` of one constraint. */
  foreignKey(constraint: string, ...pairs: (readonly [from: string, to: string])[]): void {
    const tableOf = (column: string) => nodeId(projectId, systemId, 'Table', column.slice(0, column.lastIndexOf('.')))
    for (const [from, to] of pairs) this.edge(columnId(from), 'REFERENCES', columnId(to), { constraint }, constraint)
    this.edge(tableOf(pairs[0]![0]), 'REFERENCES', tableOf(pairs[0]![1]), { constraint }, constraint)
  }

  columnId(qualifiedName: string): string {
    return columnId(qualifiedName.toLowerCase())
  }

  tableId(qualifiedName: string): string {
    return tableId(qualifiedName.toLowerCase())
  }

  isKey(column: string): boolean {
    return this.nodes.some((n) => n.id === this.columnId(column) && n.properties['is_primary_key'] === true)
  }

  build(): Estate {
    return { nodes: this.nodes, edges: this.edges }
  }
}

export const columnId = (qualifiedName: string): string => nodeId(projectId, systemId, 'Column', qualifiedName)
export const tableId = (qualifiedName: string): string => nodeId(projectId, systemId, 'Table', qualifiedName)

/** Two databases: a shop (with a chain, a composite key and a self-reference) and a school. */
export function smallEstate(): Estate {
  const b = new EstateBuilder()
  b.database('shop')
  b.table('shop', 'customers', { id: 'int*', name: 'string', email: 'string', birthday: 'date', referrer_id: 'int' })
  b.table('shop', 'profiles', { customer_id: 'int*', bio: 'string', visits: 'bigint' })
  b.table('shop', 'orders', { id: 'int*', customer_id: 'int', placed_at: 'timestamp', total: 'decimal(10,2)' })
  b.table('shop', 'lines', { order_id: 'int*', line_no: 'int*', sku: 'string', amount: 'int' })
  b.table('shop', 'returns', { id: 'int*', order_id: 'int', line_no: 'int', reason: 'string' })
  b.table('shop', 'reviews', { id: 'int*', profile: 'int', stars: 'int', body: 'string' })
  b.foreignKey('fk_profile', ['shop.profiles.customer_id', 'shop.customers.id'])
  b.foreignKey('fk_customer', ['shop.orders.customer_id', 'shop.customers.id'])
  b.foreignKey('fk_order', ['shop.lines.order_id', 'shop.orders.id'])
  b.foreignKey('fk_line', ['shop.returns.order_id', 'shop.lines.order_id'], ['shop.returns.line_no', 'shop.lines.line_no'])
  b.foreignKey('fk_review', ['shop.reviews.profile', 'shop.profiles.customer_id'])
  b.foreignKey('fk_referrer', ['shop.customers.referrer_id', 'shop.customers.id'])
  b.database('school')
  b.table('school', 'Teachers', { TeacherID: 'int*', Name: 'string', Hired: 'date' })
  b.table('school', 'Classes', { ClassID: 'int*', Title: 'string', TeacherID: 'int', Room: 'string' })
  b.table('school', 'Pupils', { PupilID: 'int*', Name: 'string', ClassID: 'int' })
  b.foreignKey('fk_teacher', ['school.classes.teacherid', 'school.teachers.teacherid'])
  b.foreignKey('fk_class', ['school.pupils.classid', 'school.classes.classid'])
  return b.build()
}
