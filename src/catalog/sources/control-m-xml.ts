import { SaxesParser } from 'saxes'
import { didYouMean } from '../../util/closest.js'
import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import {
  addSet,
  type Definitions,
  type Folder,
  type Holder,
  type Job,
  newHolder,
  normaliseOdate,
  pushProperty,
  setVariable,
} from '../control-m/control-m.js'
import {
  type Attributes,
  calendarAttributes,
  folderKinds,
  plain,
  readAndOr,
  readProperties,
  readSign,
} from '../control-m/control-m-elements.js'
import { controlMFacts } from '../control-m/control-m-facts.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { pieces, type Source, type SourceText } from './source.js'

/**
 * Exports of Control-M (DEFTABLE with folders and jobs, DEFCAL with calendars), read as a stream: memory holds the definitions, not the
 * text. Entities are never expanded: a DOCTYPE that declares any is refused. Of a file that is cut off, what was complete is kept.
 */
export const controlMXml: Source = {
  name: 'Control-M XML',
  extensions: ['.xml'],
  looksLike: (head) => /<(?:DEFTABLE|DEFCAL|(?:SMART_|SIMPLE_|SUB_)?(?:FOLDER|TABLE)|SCHED_(?:TABLE|GROUP)|JOB)[\s>]/.test(head),
  parse: parseControlMXml,
}

async function parseControlMXml(text: SourceText, context: SourceContext): Promise<ParsedSource> {
  const reader = new XmlReader(context.file)
  for await (const piece of pieces(text)) if (!reader.write(piece)) break
  reader.close()
  const { facts, problems } = controlMFacts(reader.definitions, context, 'control-m-xml')
  return { facts, problems: [...reader.problems, ...problems] }
}

/** After so many errors of form, the rest is not XML. */
const maxErrors = 20
const longestEntity = 32
const bareAmpersand = /&(?!#?\w{1,30};)/g

interface Open {
  name: string
  line: number
  /** a job is handed over when its end tag was seen */
  job?: Job
  folder?: Folder
  /** the action list and the code of an ON */
  on?: { code: string; actions: Record<string, unknown>[]; statement?: string }
}

class XmlReader {
  readonly definitions: Definitions = { folders: [], jobs: [], calendars: [] }
  readonly problems: Problem[] = []
  private readonly open: Open[] = []
  /** folders that lone jobs name */
  private readonly parents = new Set<string>()
  private readonly parser = new SaxesParser({ xmlns: false, position: true })
  private errors = 0
  /** elements that end tags closed, not yet acted on */
  private readonly ends: string[] = []
  private isSameEndTag = false
  private pending = ''
  private hasBareAmpersand = false
  private isStopped = false
  private isClosing = false
  private isRefused = false

  constructor(private readonly file: string) {
    this.parser.on('doctype', (doctype) => this.doctype(doctype))
    this.parser.on('opentag', (tag) => this.start(tag.name.toUpperCase(), tag.attributes as Attributes))
    this.parser.on('closetag', (tag) => this.endTag(tag.name.toUpperCase()))
    // without a listener, saxes lets the text of a stray end tag run into the next attribute
    this.parser.on('text', () => {})
    this.parser.on('error', (error) => this.formError(error))
  }

  /** False: enough was seen, the rest need not be read. */
  write(piece: string): boolean {
    if (this.isStopped) return false
    const text = this.pending + piece
    // an entity may be cut in two
    const last = text.lastIndexOf('&')
    const whole = last >= 0 && last > text.length - longestEntity && !text.includes(';', last) ? last : text.length
    this.pending = text.slice(whole)
    this.feed(text.slice(0, whole))
    return !this.isStopped
  }

  private feed(text: string): void {
    try {
      this.parser.write(text.replace(bareAmpersand, this.escape))
    } catch (thrown) {
      if (!this.isStopped) this.report({ code: 'xml-form', found: messageOf(thrown), expected: 'well-formed XML' })
      this.isStopped = true
    }
  }

  /** A bare `&` (hand-made files have `a && b`) would swallow all up to the next semicolon. */
  private readonly escape = (): string => {
    if (!this.hasBareAmpersand)
      this.report({
        severity: 'warning',
        code: 'xml-ampersand',
        found: 'a bare &',
        expected: '&amp; (it was read so)',
        suggestion: 'Write &amp; in attributes and text.',
      })
    this.hasBareAmpersand = true
    return '&amp;'
  }

  close(): void {
    if (!this.isStopped && this.pending !== '') this.feed(this.pending)
    if (this.isRefused) return
    this.settleEnds()
    this.isClosing = true
    const { line, column } = this.parser
    try {
      if (!this.isStopped) this.parser.close()
    } catch {
      // what was missing at the end is told below, in one problem
    }
    if (this.open.length > 0) this.cutOff(line, column)
    else if (this.definitions.folders.length + this.definitions.jobs.length + this.definitions.calendars.length === 0 && this.errors === 0)
      this.report({ code: 'control-m-empty', found: 'no folder, job or calendar', expected: 'DEFTABLE with folders and jobs, or DEFCAL' })
  }

  private cutOff(line: number, column: number): void {
    const open = this.open.map((o) => `<${o.name}> of line ${o.line}`).join(', ')
    const found = problem({
      code: 'xml-cut-off',
      where: `${this.file}:${line}:${column + 1}`,
      found: `the end of the text in line ${line} with ${this.open.length} open: ${open}`,
      expected: `the end tag </${this.open.at(-1)!.name}>`,
      suggestion: 'What was complete before that was read; export the file again to have the rest.',
    })
    this.problems.push(found)
  }

  private report(found: Omit<Problem, 'severity' | 'where'> & { severity?: Problem['severity'] }): void {
    this.problems.push(problem({ ...found, where: `${this.file}:${this.parser.line}:${this.parser.column + 1}` }))
  }

  private formError(error: Error): void {
    if (this.isClosing || this.isStopped) return
    const message = error.message.replace(/^(?:\S+:)?\d+:\d+: /, '')
    const stray = /^unmatched closing tag: (\S+)\.$/.exec(message)?.[1]?.toUpperCase()
    if (stray !== undefined) this.strayEnd(stray)
    else if (message === 'unexpected close tag.') this.isSameEndTag = true
    else this.malformed(message)
  }

  private malformed(found: string): void {
    this.errors++
    if (this.errors <= maxErrors) this.report({ code: 'xml-form', found, expected: 'well-formed XML' })
    if (this.errors === maxErrors) this.isStopped = true
  }

  /**
   * saxes gives a closetag for every element that an end tag closes, and where it then turns out that none was meant, it has closed them
   * all. So the ends are kept until it is clear that they hold.
   */
  private endTag(name: string): void {
    if (!this.isSameEndTag) this.settleEnds()
    this.isSameEndTag = false
    this.ends.push(name)
  }

  private settleEnds(): void {
    const ends = this.ends.splice(0)
    if (ends.length > 1) this.malformed(`</${ends.at(-1)}> before </${ends[0]}>`)
    for (const name of ends) this.end(name)
  }

  /** An end tag that closes nothing for saxes: it may close what saxes has given up; else it is passed over. */
  private strayEnd(name: string): void {
    if (this.isSameEndTag) this.ends.length = 0
    else this.settleEnds()
    this.isSameEndTag = false
    if (this.open.some((o) => o.name === name)) this.end(name)
    else this.malformed(`the end tag </${name}> of an element that is not open`)
  }

  private doctype(doctype: string): void {
    if (!/<!ENTITY|%\s*[\w.-]+\s*;/i.test(doctype)) return
    this.report({
      code: 'xml-entities',
      found: `a DOCTYPE that declares entities (${doctype.length.toLocaleString('en')} characters)`,
      expected: 'XML without entities of its own: expanding them can fill the memory ("billion laughs"), so the file is refused',
      suggestion: 'Remove the DOCTYPE; Control-M exports need none.',
    })
    this.isStopped = true
    this.isRefused = true
    throw new Error('refused')
  }

  private start(name: string, attributes: Attributes): void {
    if (this.isStopped) return
    this.settleEnds()
    const open: Open = { name, line: this.parser.line }
    const kind = folderKinds[name]
    if (kind) open.folder = this.folder(kind, attributes)
    else if (name === 'JOB') open.job = this.job(attributes)
    else if (name === 'ON')
      open.on = {
        code: attributes['CODE'] ?? attributes['PATTERN'] ?? '',
        actions: [],
        ...(attributes['STMT'] ? { statement: attributes['STMT'] } : {}),
      }
    else this.part(name, attributes)
    this.open.push(open)
  }

  private end(name: string): void {
    // a stray end tag was told as an error of form already
    const at = this.open.findLastIndex((o) => o.name === name)
    if (at < 0) return
    for (const open of this.open.splice(at)) {
      if (open.job) this.definitions.jobs.push(open.job)
      if (open.on) this.onActions(open.on)
    }
  }

  private get holder(): Holder | undefined {
    for (let i = this.open.length - 1; i >= 0; i--) {
      const holder = this.open[i]!.job ?? this.open[i]!.folder
      if (holder) return holder
    }
    return undefined
  }

  private folder(kind: string, attributes: Attributes): Folder {
    const around = this.around(attributes)
    const name = attributes['FOLDER_NAME'] ?? attributes['TABLE_NAME'] ?? attributes['JOBNAME'] ?? attributes['NAME'] ?? ''
    if (name === '') this.unnamed('a folder', 'FOLDER_NAME')
    const folder: Folder = { kind, ...this.holderOf(around, name || `unnamed-${this.parser.line}`, attributes) }
    this.definitions.folders.push(folder)
    return folder
  }

  private job(attributes: Attributes): Job {
    const around = this.around(attributes)
    const name = attributes['JOBNAME'] ?? attributes['MEMNAME'] ?? ''
    if (name === '') this.unnamed('a job', 'JOBNAME')
    const holder = this.holderOf(around, name || `unnamed-${this.parser.line}`, attributes)
    return { ...holder, command: attributes['CMDLINE'] ?? attributes['COMMAND'] ?? null, number: attributes['JOBISN'] || null }
  }

  private unnamed(what: string, attribute: string): void {
    this.report({ severity: 'warning', code: 'control-m-name', found: `${what} without a name`, expected: `the attribute ${attribute}` })
  }

  /** The folders around an element: those it stands in, or the one it names (a lone JOB with PARENT_FOLDER). */
  private around(attributes: Attributes): string[] {
    const folder = this.open.findLast((o) => o.folder)?.folder
    if (folder) return [...folder.path, folder.name]
    const center = attributes['DATACENTER'] ? [attributes['DATACENTER']] : []
    const parent = attributes['JOBNAME'] === undefined ? undefined : (attributes['PARENT_FOLDER'] ?? attributes['PARENT_TABLE'])
    if (!parent) return center
    const path = [...center, ...parent.split('/').filter((p) => p !== '')]
    this.parentFolder(path)
    return path
  }

  private parentFolder(path: string[]): void {
    const key = path.join('/')
    if (this.parents.has(key)) return
    this.parents.add(key)
    this.definitions.folders.push({ kind: 'folder', ...newHolder(path.slice(0, -1), path.at(-1)!, this.parser.line) })
  }

  private holderOf(path: string[], name: string, attributes: Attributes): Holder {
    const calendars = Object.entries(calendarAttributes).flatMap(([attribute, use]) =>
      attributes[attribute] ? [{ name: attributes[attribute], use }] : [],
    )
    return { ...newHolder(path, name, this.parser.line), calendars, properties: readProperties(attributes) }
  }

  /** Anything inside a job or folder. */
  private part(name: string, attributes: Attributes): void {
    if (name === 'CALENDAR' && !this.holder) this.calendar(attributes)
    const holder = this.holder
    const on = this.open.findLast((o) => o.on)?.on
    if (!holder) return
    const part = Object.hasOwn(parts, name) ? parts[name]! : undefined
    if (on && name.startsWith('DO')) on.actions.push({ action: actionName(name), ...plain(attributes) })
    if (on && (name === 'DOCOND' || name === 'DO_COND')) setCondition(holder, attributes, on.code || '*')
    else if (part) part(holder, attributes)
    else if (/COND$/.test(name) && didYouMean(name, ['INCOND', 'OUTCOND', 'DOCOND']))
      this.report({
        severity: 'warning',
        code: 'control-m-element',
        found: `<${name}>`,
        expected: 'INCOND, OUTCOND or DOCOND',
        suggestion: didYouMean(name, ['INCOND', 'OUTCOND', 'DOCOND'])!,
      })
  }

  private calendar(attributes: Attributes): void {
    const name = attributes['NAME']
    if (!name) return
    const { name: _, ...properties } = plain(attributes)
    this.definitions.calendars.push({ name, properties, line: this.parser.line })
  }

  private onActions(on: NonNullable<Open['on']>): void {
    const holder = this.holder
    if (!holder) return
    const entry = { code: on.code, ...(on.statement ? { statement: on.statement } : {}), actions: on.actions }
    pushProperty(holder, 'on_actions', entry)
  }
}

/** DOFORCEJOB, DO_FORCEJOB -> `forcejob`. */
const actionName = (element: string): string => element.replace(/^DO_?/, '').toLowerCase() || 'action'

function setCondition(holder: Holder, attributes: Attributes, on: string): void {
  if (attributes['NAME']) addSet(holder, attributes['NAME'], attributes['ODATE'], readSign(attributes['SIGN']), on)
}

/** INCOND; its attribute OP holds the brackets that open before it or close behind it. */
function waitFor(holder: Holder, attributes: Attributes): void {
  if (!attributes['NAME']) return
  const brackets = (which: string) => (attributes['OP'] ?? '').split(which).length - 1
  const [open, close] = [brackets('('), brackets(')')]
  holder.waits.push({
    condition: attributes['NAME'],
    odate: normaliseOdate(attributes['ODATE']),
    andOr: readAndOr(attributes['AND_OR']),
    ...(open > 0 ? { open } : {}),
    ...(close > 0 ? { close } : {}),
  })
}

function requireResource(holder: Holder, kind: 'quantitative' | 'control', attributes: Attributes): void {
  if (!attributes['NAME']) return
  const quantity = Number(attributes['QUANT'] ?? attributes['QUANTITY'] ?? Number.NaN)
  const mode = /^s/i.test(attributes['TYPE'] ?? '') ? 'shared' : 'exclusive'
  const properties: Properties = kind === 'control' ? { mode } : Number.isFinite(quantity) ? { quantity } : {}
  holder.resources.push({ kind, name: attributes['NAME'], properties })
}

const ruleCalendar = (holder: Holder, attributes: Attributes): void => {
  const name = attributes['NAME'] ?? attributes['TAG_NAME']
  if (name && name !== '*') holder.calendars.push({ name, use: 'rule' })
}

/** Element -> what it tells of the job or folder it stands in. */
const parts: Readonly<Record<string, (holder: Holder, attributes: Attributes) => void>> = {
  INCOND: waitFor,
  OUTCOND: (holder, a) => setCondition(holder, a, ''),
  QUANTITATIVE: (holder, a) => requireResource(holder, 'quantitative', a),
  CONTROL: (holder, a) => requireResource(holder, 'control', a),
  VARIABLE: (holder, a) => setVariable(holder, a['NAME'] ?? '', a['VALUE'] ?? ''),
  AUTOEDIT2: (holder, a) => setVariable(holder, a['NAME'] ?? '', a['VALUE'] ?? ''),
  AUTOEDIT: (holder, a) => {
    const [name = '', ...value] = (a['EXP'] ?? '').split('=')
    setVariable(holder, name.trim(), value.join('=').trim())
  },
  SHOUT: (holder, a) => pushProperty(holder, 'shouts', plain(a)),
  RULE_BASED_CALENDAR: ruleCalendar,
  RULE_BASED_CALENDARS: ruleCalendar,
  RULE_BASED_CALS: ruleCalendar,
  TAG: ruleCalendar,
  TAG_NAMES: ruleCalendar,
}
