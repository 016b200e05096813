import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import { dependency } from './dependency.js'
import { foreignKey } from './foreign-key.js'
import { lineage } from './lineage.js'
import { type LinkTask, type LinkTaskName, linkTaskNames } from './task.js'

/** The kinds of link that can be learned from the catalog. */
export const tasks: Readonly<Record<LinkTaskName, LinkTask>> = { 'foreign-key': foreignKey, lineage, dependency }

/** `text` as the name of a task, or BAD_INPUT that lists them. */
export function parseLinkTask(text: string): LinkTaskName {
  const task = linkTaskNames.find((t) => t === text)
  if (task) return task
  throw new EspalierError('BAD_INPUT', `task: found "${text}", expected one of ${linkTaskNames.join(', ')}`, {
    remedy: didYouMean(text, linkTaskNames) ?? `Use ${linkTaskNames.join(', ')}.`,
  })
}
