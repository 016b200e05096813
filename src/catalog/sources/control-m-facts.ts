import { didYouMean } from '../../util/closest.js'
import { contentHash } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import type { EdgeLabel, NodeKind, Properties } from '../../vocabulary.js'
import type { EdgeFact, Fact, NodeFact, SourceContext, Unresolved } from '../fact.js'
import { nodeId } from '../identity.js'
import { tablesOfCommand } from './command-tables.js'
import { type Definitions, type Folder, fillAutoEdit, type Holder, type Job } from './control-m.js'
import { planOrder } from './control-m-order.js'

/** Folders, jobs, conditions, calendars and resources as facts, and what their conditions say about the order of jobs. */
export function controlMFacts(definitions: Definitions, context: SourceContext): { facts: Fact[]; problems: Problem[] } {
  const writer = new FactWriter(definitions, context)
  for (const folder of writer.folders) writer.holder(folder, 'ControlMFolder', { folder_kind: folder.kind })
  for (const job of writer.jobs) writer.job(job)
  for (const calendar of definitions.calendars) writer.calendar(calendar.name, calendar.properties, calendar.line)
  writer.order()
  return { facts: [...writer.nodes, ...writer.edges], problems: writer.problems }
}

const separator = '/'
/** One missing condition can hold up everything behind it: the first of these are told, the rest counted. */
const maxStuck = 50

class FactWriter {
  readonly nodes: Fact[] = []
  readonly edges: Fact[] = []
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
  ) {
    this.folderAt = mergeFolders(definitions.folders)
    this.folders = [...this.folderAt.values()]
    this.jobs = this.nameFolders(definitions.jobs)
  }

  private id = (kind: NodeKind, name: string): string => nodeId(this.context.projectId, this.context.systemId, kind, name)
  private provenance = (line: number) => ({ dialect: 'control-m-xml', file: this.context.file, location: `line ${line}` })
  private idOf = (holder: Holder): string => this.ids.get(holder)!

  private report(line: number, found: Omit<Problem, 'where' | 'severity'> & { severity: Problem['severity'] }): void {
    this.problems.push(problem({ ...found, where: `${this.context.file}:${line}:1` }))
  }

  private node(
    id: string,
    kind: NodeKind,
    name: string,
    qualifiedName: string,
    properties: Properties,
    line: number,
  ): NodeFact | undefined {
    if (this.seen.has(id)) return undefined
    this.seen.add(id)
    const fact: NodeFact = { fact: 'node', id, kind, name, qualifiedName, properties, provenance: this.provenance(line) }
    this.nodes.push(fact)
    return fact
  }

  private edge(sourceId: string, label: EdgeLabel, targetId: string, line: number, properties: Properties = {}, discriminator = ''): void {
    const key = [sourceId, label, targetId, discriminator, JSON.stringify(properties['unresolved'] ?? '')].join('\n')
    if (this.seen.has(key)) return
    this.seen.add(key)
    const fact: EdgeFact = { fact: 'edge', sourceId, label, targetId, properties, provenance: this.provenance(line) }
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
        same.map((job) => [same.length === 1 ? '' : (job.number ?? contentHash({ ...job, line: 0, path: [] }).slice(0, 8)), job]),
      )
      if (distinct.size < same.length)
        this.report(same[1]!.line, {
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
    const path = pathOf(holder)
    const variables: Properties = Object.keys(holder.variables).length > 0 ? { variables: { ...holder.variables } } : {}
    const calendars: Properties = holder.calendars.length > 0 ? { calendars: [...new Set(holder.calendars.map((c) => c.name))] } : {}
    const resources: Properties =
      holder.resources.length > 0 ? { resources: holder.resources.map((r) => ({ kind: r.kind, name: r.name, ...r.properties })) } : {}
    this.node(
      id,
      kind,
      holder.name,
      path,
      { folder: holder.path.join(separator), ...holder.properties, ...variables, ...calendars, ...resources, ...more },
      holder.line,
    )
    const parent = this.folderAt.get(holder.path.join(separator))
    if (parent) this.edge(this.idOf(parent), 'CONTAINS', id, holder.line)
    this.conditions(holder, id)
    for (const { name, use } of holder.calendars) {
      this.calendar(name, {}, holder.line)
      this.edge(this.id('ControlMCalendar', name), 'SCHEDULES', id, holder.line, { use }, use)
    }
    for (const { kind: type, name, properties } of holder.resources) {
      const resource = this.id('ControlMResource', `${type}/${name}`)
      this.node(resource, 'ControlMResource', name, `${type}/${name}`, { type }, holder.line)
      this.edge(id, 'REQUIRES', resource, holder.line, properties)
    }
  }

  private conditions(holder: Holder, id: string): void {
    for (const wait of holder.waits) {
      const condition = this.condition(wait.condition, holder.line)
      this.edge(
        condition,
        'BLOCKS',
        id,
        holder.line,
        { odate: wait.odate, and_or: wait.andOr },
        wait.odate === 'run-date' ? '' : wait.odate,
      )
    }
    for (const { condition, odate, sign, on } of holder.sets) {
      const discriminator = [on, odate === 'run-date' ? '' : odate].filter((p) => p !== '').join(' ')
      const properties = { odate, sign, ...(on === '' ? {} : { on }) }
      this.edge(id, sign === '+' ? 'RELEASES' : 'CLEARS', this.condition(condition, holder.line), holder.line, properties, discriminator)
    }
  }

  private condition(name: string, line: number): string {
    const id = this.id('ControlMCondition', name)
    this.node(id, 'ControlMCondition', name, name, {}, line)
    return id
  }

  calendar(name: string, properties: Properties, line: number): void {
    const before = this.calendars.get(name)
    if (before) Object.assign(before.properties, properties)
    else this.calendars.set(name, this.node(this.id('ControlMCalendar', name), 'ControlMCalendar', name, name, { ...properties }, line)!)
  }

  job(job: Job): void {
    this.holder(job, 'ControlMJob', {})
    if (!job.command) return
    const { reads, writes } = tablesOfCommand(fillAutoEdit(job.command, this.variablesOf(job)))
    const open = (table: string): Properties => {
      const unresolved: Unresolved = { table_name: table.toLowerCase() }
      return { unresolved }
    }
    for (const table of reads) this.edge(this.idOf(job), 'READS', '', job.line, open(table))
    for (const table of writes) this.edge(this.idOf(job), 'WRITES', '', job.line, open(table))
  }

  /** A job's variables over those of its folders, the nearest first. */
  private variablesOf(job: Job): Record<string, string> {
    const around = job.path.map((_, i) => this.folderAt.get(job.path.slice(0, i + 1).join(separator)))
    return Object.assign({}, ...around.map((f) => f?.variables ?? {}), job.variables)
  }

  order(): void {
    const { dependencies, dangling, cycles, stuck } = planOrder([...this.folders, ...this.jobs])
    for (const { from, to, conditions, crossDay } of dependencies)
      this.edge(this.idOf(from), 'DEPENDS_ON', this.idOf(to), from.line, { conditions, ...(crossDay ? { cross_day: true } : {}) })
    const produced = new Set([...this.folders, ...this.jobs].flatMap((h) => h.sets.filter((s) => s.sign === '+').map((s) => s.condition)))
    for (const [condition, holders] of dangling) {
      const near = didYouMean(condition, produced)
      this.report(holders[0]!.line, {
        severity: 'warning',
        code: 'dangling-condition',
        found: `condition "${condition}", waited for by ${names(holders)}`,
        expected: 'a job in this text that sets it',
        ...(near ? { suggestion: near } : {}),
      })
    }
    for (const cycle of cycles)
      this.report(cycle[0]!.line, {
        severity: 'warning',
        code: 'dependency-cycle',
        found: `jobs that wait for each other in a ring: ${names(cycle)}`,
        expected: 'an order in which one of them can start',
      })
    for (const [holder, conditions] of [...stuck].slice(0, maxStuck))
      this.report(holder.line, {
        severity: 'info',
        code: 'never-released',
        found: `${pathOf(holder)}, which waits for ${conditions.join(', ')}`,
        expected: 'jobs in this text that can start and set what it waits for',
      })
    if (stuck.size > maxStuck)
      this.report(1, {
        severity: 'info',
        code: 'never-released',
        found: `${stuck.size - maxStuck} more jobs like these`,
        expected: 'jobs that can start',
      })
  }
}

const pathOf = (holder: Holder): string => [...holder.path, holder.name].join(separator)
const names = (holders: readonly Holder[]): string =>
  holders
    .map((h) => h.name)
    .slice(0, 12)
    .join(', ') + (holders.length > 12 ? `, … (${holders.length})` : '')

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
