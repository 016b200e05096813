import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { EspalierError, messageOf } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import type { DatasetFormat } from './formats/format.js'
import { addFormat, formatNames } from './formats/index.js'
import { qualityMetrics, siteMetrics } from './quality/index.js'
import type { QualityMetric } from './quality/metric.js'
import { rules, siteRules } from './rules/index.js'
import type { Rule } from './rules/rule.js'
import { markSite } from './validation/report-store.js'

/** What a module of a site exports: any of these, each a list. */
export interface DatasetModule {
  /** held to beside the rules of the house */
  rules?: readonly Rule[]
  /** dimensions of quality, each with its weight beside the others' */
  metrics?: readonly { metric: QualityMetric; weight: number }[]
  /** read and written beside the formats of the house */
  formats?: readonly DatasetFormat[]
}

const loaded = new Set<string>()

/**
 * Loads the modules that the configuration names, once a process: their rules, dimensions and formats then count like those of the house.
 * They are code of the site, and run with all rights of the process. BAD_INPUT for a file that cannot be loaded, a member that is not
 * what its list holds, and a name that there is already.
 */
export async function loadDatasetModules(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (loaded.has(file)) continue
    const module = await importModule(file)
    const { rules: ownRules = [], metrics = [], formats = [] } = module
    assertNew(file, 'rule', [...rules, ...siteRules, { name: 'types' }], ownRules)
    assertNew(
      file,
      'metric',
      [...qualityMetrics, ...siteMetrics].map(({ metric }) => metric),
      metrics.map(({ metric }) => metric),
    )
    assertNew(
      file,
      'format',
      formatNames.map((name) => ({ name })),
      formats,
    )
    siteRules.push(...ownRules)
    siteMetrics.push(...metrics)
    for (const format of formats) addFormat(format)
    // reports that were made by other code are made anew
    markSite(sha256(await readFile(file)))
    loaded.add(file)
  }
}

/** member of the module -> what each of its items must have */
const checks: { [Member in keyof DatasetModule]-?: { holds: (item: never) => boolean; expected: string } } = {
  rules: {
    holds: (rule: Rule) =>
      typeof rule?.name === 'string' && typeof rule.start === 'function' && ['error', 'warning', 'info'].includes(rule.severity),
    expected: 'rules: {name, severity, description, start}',
  },
  metrics: {
    holds: (item: { metric: QualityMetric; weight: number }) =>
      typeof item?.metric?.name === 'string' && typeof item.metric.start === 'function' && item.weight > 0,
    expected: 'dimensions: {metric: {name, description, start}, weight}, the weight above 0',
  },
  formats: {
    holds: (format: DatasetFormat) =>
      typeof format?.name === 'string' &&
      typeof format.read === 'function' &&
      typeof format.write === 'function' &&
      Array.isArray(format.kinds),
    expected: 'formats: {name, title, extensions, mediaType, kinds, loses, read, write}',
  },
}

async function importModule(file: string): Promise<DatasetModule> {
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `dataset module ${file}: ${messageOf(cause)}`, {
      remedy: 'Name files of JavaScript modules in datasetModules, separated by commas in ESPALIER_DATASET_MODULES.',
      cause,
    })
  }
  const members = Object.keys(checks) as (keyof DatasetModule)[]
  if (!members.some((member) => module[member] !== undefined))
    throw new EspalierError(
      'BAD_INPUT',
      `dataset module ${file}: it exports ${Object.keys(module).join(', ') || 'nothing'}, expected rules, metrics or formats`,
    )
  for (const member of members) {
    const items = module[member]
    if (items !== undefined && !(Array.isArray(items) && items.every((item) => checks[member].holds(item as never))))
      throw new EspalierError(
        'BAD_INPUT',
        `dataset module ${file}: its ${member} are not as expected, a list of ${checks[member].expected}`,
      )
  }
  return module as DatasetModule
}

function assertNew(file: string, what: string, known: readonly { name: string }[], added: readonly { name: string }[]): void {
  const names = new Set(known.map(({ name }) => name))
  for (const { name } of added) {
    if (names.has(name))
      throw new EspalierError('BAD_INPUT', `dataset module ${file}: there is a ${what} "${name}" already, expected another name`)
    names.add(name)
  }
}
