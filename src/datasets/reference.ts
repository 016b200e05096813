import type { Sql } from '../postgres/sql.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { findDatasetVersion, readDatasets, readDatasetVersion } from './store.js'
import type { DatasetVersion } from './version.js'

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/**
 * The version that people mean by an id, by the name of a dataset (its latest version), or by `name@reference` (a number such as `1.2`,
 * `latest`, a tag). A name that several projects use is told apart as `project/name`. NOT_FOUND names what is near.
 */
export async function resolveDatasetVersion(sql: Sql, text: string): Promise<DatasetVersion> {
  if (uuid.test(text)) return readDatasetVersion(sql, text)
  const datasets = await readDatasets(sql)
  const named = (name: string) => datasets.filter((d) => d.name === name || `${d.projectId}/${d.name}` === name)
  // names may hold an @ themselves: the longest name that there is wins
  const at = text.lastIndexOf('@')
  const [name, reference] = named(text).length > 0 || at <= 0 ? [text, 'latest'] : [text.slice(0, at), text.slice(at + 1)]
  const [found, ...others] = named(name)
  if (found && others.length === 0) return findDatasetVersion(sql, found.id, reference)
  const whole = datasets.map((d) => `${d.projectId}/${d.name}`)
  if (found)
    throw new EspalierError(
      'BAD_INPUT',
      `dataset "${name}": projects ${[found, ...others].map((d) => d.projectId).join(', ')} each have one`,
      {
        remedy: `Name one of ${[found, ...others].map((d) => `${d.projectId}/${d.name}`).join(', ')}.`,
      },
    )
  throw new EspalierError('NOT_FOUND', `there is no dataset "${name.slice(0, 80)}"`, {
    remedy:
      didYouMean(name, [...datasets.map((d) => d.name), ...whole]) ??
      (whole.length ? `There are ${whole.slice(0, 5).join(', ')}.` : 'Import one first.'),
  })
}
