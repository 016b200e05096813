import { contentHash } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { EdgeLabel, NodeKind, Properties } from '../../vocabulary.js'
import type { EdgeFact, Fact, NodeFact, SourceContext, Unresolved } from '../fact.js'
import { nodeId } from '../identity.js'
import { partsOfId } from '../resolve/scope.js'
import { placeOf } from '../workflow/order-problems.js'
import { petriFacts } from '../workflow/petri-facts.js'
import { petriNetOf } from '../workflow/petri-net.js'
import { startLogic } from '../workflow/start-logic.js'
import { startProperties, workflowOf } from '../workflow/workflow.js'
import { tablesOfCommand } from './command-tables.js'
import { type Definitions, type Folder, fillAutoEdit, type Holder, type Job } from './control-m.js'

/**
 * Folders, jobs, conditions, calendars and resources as facts, and the Petri net of them. A text tells of itself alone; who depends on
 * whom follows from all texts of a system together (derive/dependency-store.ts), and so does what is odd about it.
 */
export function controlMFacts(definitions: Definitions, context: SourceContext, dialect: string): { facts: Fact[]; problems: Problem[] } {
  const writer = new FactWriter(definitions, context, dialect)
  for (const folder of writer.folders) writer.holder(folder, 'ControlMFolder', { folder_kind: folder.kind })
  for (const job of writer.jobs) writer.job(job)
  for (const calendar of definitions.calendars) writer.calendar(calendar.name, calendar.properties, calendar)
  writer.petriNet()
  return { facts: [...writer.nodes, ...writer.edges, ...writer.net], problems: writer.problems }
}

const separator = '/'

class FactWriter {
  readonly nodes: NodeFact[] = []
  readonly edges: EdgeFact[] = []
  /** the Petri net */
  net: Fact[] = []
  readonly problems: Problem[] = []
  readonly folders: Folder[]
  readonly jobs: Job[]
  private readonly folderAt: ReadonlyMap<string, Folder>
  private readonly calendars = new Map<string, NodeFact>()
  private readonly ids = new Map<Holder, string>()
  private readonly seen = new Set<string>()

  constructor(
    definitions: Definitions,
    private readonly context: SourceContext,
    private readonly dialect: string,
  ) {
    this.folderAt = mergeFolders(definitions.folders)
    this.folders = [...this.folderAt.values()]
    this.jobs = this.nameFolders(definitions.jobs)
  }

  private id = (kind: NodeKind, name: string): string => nodeId(this.context.projectId, this.context.systemId, kind, name)
  private provenance = ({ line, location = `line ${line}` }: Placed) => ({ dialect: this.dialect, file: this.context.file, location })
  private idOf = (holder: Holder): string => this.ids.get(holder)!

  private report(at: Placed, found: Omit<Problem, 'where' | 'severity'> & { severity: Problem['severity'] }): void {
    this.problems.push(problem({ ...found, where: placeOf(this.provenance(at)) }))
  }

  private node(id: string, kind: NodeKind, name: string, qualifiedName: string, properties: Properties, at: Placed): NodeFact | undefined {
    if (this.seen.has(id)) return undefined
    this.seen.add(id)
    const fact: NodeFact = { fact: 'node', id, kind, name, qualifiedName, properties, provenance: this.provenance(at) }
    this.nodes.push(fact)
    return fact
  }

  private edge(sourceId: string, label: EdgeLabel, targetId: string, at: Placed, properties: Properties = {}, discriminator = ''): void {
    const key = [sourceId, label, targetId, discriminator, JSON.stringify(properties['unresolved'] ?? '')].join('\n')
    if (this.seen.has(key)) return
    this.seen.add(key)
    const fact: EdgeFact = { fact: 'edge', sourceId, label, targetId, properties, provenance: this.provenance(at) }
    this.edges.push(discriminator === '' ? fact : { ...fact, discriminator })
  }

  /**
   * Jobs with their ids. Jobs of one name in one folder are told apart by the export's job number, else by what they are (never by their
   * order); two that are the same in everything are one.
   */
  private nameFolders(jobs: readonly Job[]): Job[] {
    for (const folder of this.folders) this.ids.set(folder, this.id('ControlMFolder', pathOf(folder)))
    const named = new Map<string, Job[]>()
    for (const job of jobs) named.set(pathOf(job), [...(named.get(pathOf(job)) ?? []), job])
    return [...named].flatMap(([path, same]) => {
      const distinct = new Map(
        same.map((job) => [
          same.length === 1 ? '' : (job.number ?? contentHash({ ...job, line: 0, location: undefined, path: [] }).slice(0, 8)),
          job,
        ]),
      )
      if (distinct.size < same.length)
        this.report(same[1]!, {
          severity: 'warning',
          code: 'duplicate-job',
          found: `${same.length} jobs ${path} that say the same`,
          expected: 'one of each',
        })
      for (const [number, job] of distinct) this.ids.set(job, this.id('ControlMJob', number === '' ? path : `${path}#${number}`))
      return [...distinct.values()]
    })
  }

  holder(holder: Holder, kind: NodeKind, more: Properties): void {
    const id = this.idOf(holder)
    const { qualifiedName } = partsOfId(id)!
    const variables: Properties = Object.keys(holder.variables).length > 0 ? { variables: { ...holder.variables } } : {}
    const calendars: Properties = holder.calendars.length > 0 ? { calendars: [...new Set(holder.calendars.map((c) => c.name))] } : {}
    const resources: Properties =
      holder.resources.length > 0 ? { resources: holder.resources.map((r) => ({ kind: r.kind, name: r.name, ...r.properties })) } : {}
    this.node(
      id,
      kind,
      holder.name,
      qualifiedName,
      {
        folder: holder.path.join(separator),
        ...holder.properties,
        ...variables,
        ...calendars,
        ...resources,
        ...startProperties(startLogic(holder.waits), holder.waits),
        ...more,
      },
      holder,
    )
    const parent = this.folderAt.get(holder.path.join(separator))
    if (parent) this.edge(this.idOf(parent), 'CONTAINS', id, holder)
    this.conditions(holder, id)
    for (const { name, use } of holder.calendars) {
      this.calendar(name, {}, holder)
      this.edge(this.id('ControlMCalendar', name), 'SCHEDULES', id, holder, { use }, use)
    }
    for (const { kind: type, name, properties } of holder.resources) {
      const resource = this.id('ControlMResource', `${type}/${name}`)
      this.node(resource, 'ControlMResource', name, `${type}/${name}`, { type }, holder)
      this.edge(id, 'REQUIRES', resource, holder, properties)
    }
  }

  private conditions(holder: Holder, id: string): void {
    for (const wait of holder.waits) {
      const condition = this.condition(wait.condition, holder)
      this.edge(condition, 'BLOCKS', id, holder, { odate: wait.odate, and_or: wait.andOr }, wait.odate === 'run-date' ? '' : wait.odate)
    }
    for (const { condition, odate, sign, on } of holder.sets) {
      const discriminator = [on, odate === 'run-date' ? '' : odate].filter((p) => p !== '').join(' ')
      const properties = { odate, sign, ...(on === '' ? {} : { on }) }
      this.edge(id, sign === '+' ? 'RELEASES' : 'CLEARS', this.condition(condition, holder), holder, properties, discriminator)
    }
  }

  private condition(name: string, at: Placed): string {
    const id = this.id('ControlMCondition', name)
    this.node(id, 'ControlMCondition', name, name, {}, at)
    return id
  }

  calendar(name: string, properties: Properties, at: Placed): void {
    const before = this.calendars.get(name)
    if (before) Object.assign(before.properties, properties)
    else this.calendars.set(name, this.node(this.id('ControlMCalendar', name), 'ControlMCalendar', name, name, { ...properties }, at)!)
  }

  job(job: Job): void {
    this.holder(job, 'ControlMJob', {})
    if (!job.command) return
    const { reads, writes } = tablesOfCommand(fillAutoEdit(job.command, this.variablesOf(job)))
    const open = (table: string): Properties => {
      const unresolved: Unresolved = { table_name: table.toLowerCase() }
      return { unresolved }
    }
    for (const table of reads) this.edge(this.idOf(job), 'READS', '', job, open(table))
    for (const table of writes) this.edge(this.idOf(job), 'WRITES', '', job, open(table))
  }

  /** A job's variables over those of its folders, the nearest first. */
  private variablesOf(job: Job): Record<string, string> {
    const around = job.path.map((_, i) => this.folderAt.get(job.path.slice(0, i + 1).join(separator)))
    return Object.assign({}, ...around.map((f) => f?.variables ?? {}), job.variables)
  }

  petriNet(): void {
    const places = new Map([...this.folders, ...this.jobs].map((holder) => [this.idOf(holder), this.provenance(holder)]))
    const { projectId, systemId } = this.context
    const net = petriNetOf(workflowOf(this.nodes, this.edges))
    this.net = petriFacts(net, { projectId, systemId, provenanceOf: (id) => places.get(id)! })
  }
}

/** What has a place in the text. */
type Placed = Pick<Holder, 'line' | 'location'>

const pathOf = (holder: Holder): string => [...holder.path, holder.name].join(separator)
/** A folder may be told in several elements: one folder, its conditions and properties together. */
function mergeFolders(folders: readonly Folder[]): Map<string, Folder> {
  const merged = new Map<string, Folder>()
  for (const folder of folders) {
    const before = merged.get(pathOf(folder))
    if (!before) merged.set(pathOf(folder), folder)
    else {
      Object.assign(before.properties, folder.properties)
      Object.assign(before.variables, folder.variables)
      for (const list of ['waits', 'sets', 'resources', 'calendars'] as const) (before[list] as unknown[]).push(...folder[list])
    }
  }
  return merged
}
