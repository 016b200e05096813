import { didYouMean } from '../../util/closest.js'
import { messageOf } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { type Definitions, type Folder, type Holder, type Job, newHolder, setVariable } from '../control-m/control-m.js'
import { controlMFacts } from '../control-m/control-m-facts.js'
import { addFlow, addIf, addNotification, addSets, addWaits } from '../control-m/control-m-json-events.js'
import {
  commandOf,
  isObject,
  type JsonObject,
  readCalendars,
  readJsonProperties,
  rowOf,
  textOf,
} from '../control-m/control-m-json-properties.js'
import type { ParsedSource, SourceContext } from '../fact.js'
import { parseCutOff } from './json-cut-off.js'
import { type Source, type SourceText, wholeText } from './source.js'

/**
 * Definitions of the Control-M Automation API ("jobs as code"; Code Reference, "Job Properties" and "Folders and Flows"): the same nodes
 * and edges as of the XML export of the same jobs. `Defaults` are filled in; what a folder hands down to its jobs (RunAs, When …) is told
 * of the folder alone, as in the XML.
 */
export const controlMJson: Source = {
  name: 'Control-M JSON',
  extensions: ['.json'],
  looksLike: (head) =>
    /^\s*\{\s*(?:"Folders"\s*:\s*\[|"(?:[^"\\]|\\.)*"\s*:\s*\{)/.test(head) &&
    /"Type"\s*:\s*"(?:(?:Simple|Sub)?Folder|Job(?::[^"]*)?)"/.test(head),
  parse: parseControlMJson,
  byContentOnly: true,
}

async function parseControlMJson(text: SourceText, context: SourceContext): Promise<ParsedSource> {
  const reader = new JsonReader(context.file)
  reader.read((await wholeText(text)).replace(/^\uFEFF/, ''))
  const { facts, problems } = controlMFacts(reader.definitions, context, 'control-m-json')
  return { facts, problems: [...reader.problems, ...problems] }
}

const folderTypes: Readonly<Record<string, string>> = { Folder: 'smart folder', SimpleFolder: 'folder', SubFolder: 'sub-folder' }
/** The first word of every Type that the API knows inside a file of definitions. */
const knownTypes = [
  ...Object.keys(folderTypes),
  ...['Job', 'Flow', 'If', 'IfBase', 'WaitForEvents', 'AddEvents', 'DeleteEvents', 'Resource', 'Notify', 'Calendar', 'ConnectionProfile'],
  ...['Action', 'Event', 'Mail', 'Run', 'Defaults', 'SiteStandard', 'Driver', 'Endpoint', 'Tag', 'Variable', 'JobTag', 'CaptureOutput'],
]
const deepest = 50

/** A named object, the path of its keys in the text, and the defaults around it. */
interface Named {
  name: string
  object: JsonObject
  keys: readonly (string | number)[]
  defaults: readonly JsonObject[]
}

class JsonReader {
  readonly definitions: Definitions = { folders: [], jobs: [], calendars: [] }
  readonly problems: Problem[] = []
  /** containers that a cut-off text left open, as JSON pointers */
  private open: ReadonlySet<string> = new Set()

  constructor(private readonly file: string) {}

  read(text: string): void {
    const value = this.parse(text)
    if (value === undefined) return
    if (isObject(value)) {
      const defaults = isObject(value['Defaults']) ? [value['Defaults']] : []
      for (const child of childrenOf({ name: '', object: value, keys: [], defaults })) this.top(child)
    }
    const { folders, jobs } = this.definitions
    if (folders.length + jobs.length === 0 && this.problems.length === 0)
      this.report([], {
        code: 'control-m-empty',
        found: 'no folder or job',
        expected: 'an object of folders: { "Name": { "Type": "Folder", … } }',
      })
  }

  private parse(text: string): JsonValue | undefined {
    try {
      return JSON.parse(text) as JsonValue
    } catch (thrown) {
      const cut = parseCutOff(text)
      if (!cut) {
        this.report([], { code: 'json-form', found: messageOf(thrown), expected: 'JSON' })
        return undefined
      }
      this.open = new Set(cut.open.map((_, i) => pointer(cut.open.slice(0, i + 1))))
      this.report(cut.open, {
        code: 'json-cut-off',
        found: 'the end of the text with brackets open',
        expected: 'a complete JSON document',
        suggestion: 'The jobs that were complete before that were read; export the file again to have the rest.',
      })
      return cut.value
    }
  }

  private report(
    keys: readonly (string | number)[],
    found: Omit<Problem, 'where' | 'severity'> & { severity?: Problem['severity'] },
  ): void {
    this.problems.push(problem({ ...found, where: keys.length > 0 ? `${this.file}:${pointer(keys)}` : this.file }))
  }

  private top(child: Named): void {
    const type = typeOf(child.object)
    const server = textOf(withDefaults(child)['ControlmServer'])
    const path = server === undefined ? [] : [server]
    if (rowOf(folderTypes, type)) this.folder(child, path, 0)
    else if (isJobType(type)) this.job(child, path)
    else this.unknown(child, type)
  }

  private folder(named: Named, path: string[], depth: number): Folder {
    const object = withDefaults(named)
    const folder: Folder = { kind: rowOf(folderTypes, typeOf(named.object))!, ...this.holder(named, object, path) }
    this.definitions.folders.push(folder)
    const own = isObject(named.object['Defaults']) ? [...named.defaults, named.object['Defaults']] : named.defaults
    const inside = [...path, folder.name]
    const members = new Map<string, Holder>()
    const flows: Named[] = []
    for (const child of childrenOf({ ...named, defaults: own })) {
      const type = typeOf(child.object)
      if (rowOf(folderTypes, type) && depth < deepest) members.set(child.name, this.folder(child, inside, depth + 1))
      else if (isJobType(type)) {
        const job = this.job(child, inside)
        if (job) members.set(child.name, job)
      } else if (type === 'Flow') flows.push(child)
    }
    for (const flow of flows) this.flow(flow, members)
    return folder
  }

  /** Nothing where the text was cut off inside of it. */
  private job(named: Named, path: string[]): Job | undefined {
    if (this.open.has(pointer(named.keys))) return undefined
    const object = withDefaults(named)
    const job: Job = { ...this.holder(named, object, path), command: commandOf(object), number: null }
    this.definitions.jobs.push(job)
    return job
  }

  private holder(named: Named, object: JsonObject, path: string[]): Holder {
    const holder: Holder = { ...newHolder(path, unescapeName(named.name), 0), location: pointer(named.keys) }
    Object.assign(holder.properties, readJsonProperties(object))
    holder.calendars = readCalendars(object['When'])
    this.calendarsWithin(object['When'], named)
    for (const [name, value] of variablesOf(object['Variables'])) setVariable(holder, name, value)
    // a list by its key alone, or an object with a Type of its own
    addWaits(holder, listOf(object['WaitForEvents']))
    addSets(holder, listOf(object['AddEvents']), '+')
    addSets(holder, listOf(object['DeleteEvents']), '-')
    for (const child of childrenOf({ ...named, object, defaults: [] })) this.part(holder, child)
    return holder
  }

  /** Anything inside a job or folder that is neither. */
  private part(holder: Holder, child: Named): void {
    const type = typeOf(child.object)
    if (rowOf(folderTypes, type) || isJobType(type) || type === 'Flow') return
    const family = type.split(':')[0]!
    const read = rowOf(parts, type) ?? rowOf(parts, family)
    if (read) read(holder, child)
    else this.unknown(child, type)
  }

  private unknown({ keys }: Named, type: string): void {
    const family = type.split(':')[0]!
    if (family === '' || knownTypes.includes(family)) return
    const near = didYouMean(family, knownTypes)
    if (near)
      this.report(keys, {
        severity: 'warning',
        code: 'control-m-type',
        found: `"Type": "${type}"`,
        expected: 'a type of the Automation API',
        suggestion: near,
      })
  }

  private calendarsWithin(when: JsonValue | undefined, { keys }: Named): void {
    const rules = isObject(when) ? when['RuleBasedCalendars'] : undefined
    if (!isObject(rules)) return
    for (const [name, value] of Object.entries(rules))
      if (isObject(value) && typeOf(value).startsWith('Calendar')) {
        const properties: Properties = { type: typeOf(value).replace(/^Calendar:?/, '') }
        this.definitions.calendars.push({ name, properties, line: 0, location: pointer(keys) })
      }
  }

  private flow({ object, keys }: Named, members: ReadonlyMap<string, Holder>): void {
    const sequence = Array.isArray(object['Sequence']) ? object['Sequence'].map((s) => textOf(s) ?? '') : []
    const steps = sequence.map((name) => {
      const found = members.get(name) ?? members.get(unescapeName(name))
      if (!found) {
        const near = didYouMean(name, members.keys())
        this.report(keys, {
          severity: 'warning',
          code: 'control-m-flow',
          found: `"${name}" in the sequence of a flow`,
          expected: 'a job or sub-folder of the same folder',
          ...(near ? { suggestion: near } : {}),
        })
      }
      return found
    })
    steps.forEach((step, i) => {
      const next = steps[i + 1]
      if (step && next && step !== next) addFlow(step, next)
    })
  }
}

const pointer = (keys: readonly (string | number)[]): string =>
  keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
const typeOf = (object: JsonObject): string => textOf(object['Type']) ?? ''
const isJobType = (type: string): boolean => type === 'Job' || type.startsWith('Job:')
const listOf = (value: JsonValue | undefined): JsonValue | undefined => (Array.isArray(value) ? value : undefined)
/** A colon in a name is written `\:`. */
const unescapeName = (name: string): string => name.replaceAll('\\:', ':')

/** Objects with a Type inside an object: by their keys, or in lists (`Jobs`, `SubFolders`, …) with a Name of their own. */
function childrenOf({ object, keys, defaults }: Named): Named[] {
  return Object.entries(object).flatMap(([key, value]): Named[] => {
    if (key === 'Defaults') return []
    if (isObject(value)) return typeOf(value) === '' ? [] : [{ name: key, object: value, keys: [...keys, key], defaults }]
    if (!Array.isArray(value)) return []
    return value.flatMap((item, i) => {
      const name = isObject(item) && typeOf(item) !== '' ? textOf(item['Name']) : undefined
      return name === undefined ? [] : [{ name, object: item as JsonObject, keys: [...keys, key, i], defaults }]
    })
  })
}

/** Settings of Defaults that make no sense on a folder. */
const jobOnly = new Set(['Host', 'HostGroup'])

/** Defaults for anything, then for its kind (`Job`, `Job:Hadoop`, `Job:Hadoop:Spark`), then its own. */
function withDefaults({ object, defaults }: Named): JsonObject {
  const type = typeOf(object)
  const words = type.split(':')
  const kinds = words.map((_, i) => words.slice(0, i + 1).join(':'))
  if (rowOf(folderTypes, type) && type !== 'Folder') kinds.unshift('Folder')
  const isGeneral = ([key, value]: [string, JsonValue]) =>
    !/^(?:Job|Folder|SubFolder|SimpleFolder)(?::|$)/.test(key) &&
    !(rowOf(folderTypes, type) && jobOnly.has(key)) &&
    !(isObject(value) && isFolderOrJob(value))
  const layers = defaults.flatMap((d) => [
    Object.fromEntries(Object.entries(d).filter(isGeneral)),
    ...kinds.map((k) => d[k]).filter(isObject),
  ])
  return Object.assign({}, ...layers, object) as JsonObject
}

const isFolderOrJob = (object: JsonObject): boolean => rowOf(folderTypes, typeOf(object)) !== undefined || isJobType(typeOf(object))

/** `[{ "name": "value" }, …]`, or one object of all. */
function variablesOf(value: JsonValue | undefined): [string, string][] {
  const objects = Array.isArray(value) ? value : [value]
  return objects.filter(isObject).flatMap((o) => Object.entries(o).map(([name, v]): [string, string] => [name, textOf(v) ?? '']))
}

/** Type, or its first word -> what it tells of the job or folder it stands in. */
const parts: Readonly<Record<string, (holder: Holder, child: Named) => void>> = {
  WaitForEvents: (holder, { object }) => addWaits(holder, object['Events']),
  AddEvents: (holder, { object }) => addSets(holder, object['Events'], '+'),
  DeleteEvents: (holder, { object }) => addSets(holder, object['Events'], '-'),
  If: (holder, { object }) => addIf(holder, object),
  IfBase: (holder, { object }) => addIf(holder, object),
  Notify: (holder, { object }) => addNotification(holder, object),
  'Resource:Pool': pool,
  'Resource:Semaphore': pool,
  'Resource:Lock': lock,
  'Resource:Mutex': lock,
}

function pool(holder: Holder, { name, object }: Named): void {
  const quantity = Number(textOf(object['Quantity']) ?? Number.NaN)
  holder.resources.push({ kind: 'quantitative', name: unescapeName(name), properties: Number.isFinite(quantity) ? { quantity } : {} })
}

function lock(holder: Holder, { name, object }: Named): void {
  const mode = /^s/i.test(textOf(object['LockType']) ?? textOf(object['MutexType']) ?? '') ? 'shared' : 'exclusive'
  holder.resources.push({ kind: 'control', name: unescapeName(name), properties: { mode } })
}
