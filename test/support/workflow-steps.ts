import { startLogic, type Wait } from '../../src/catalog/workflow/start-logic.js'
import type { ConditionSet, Step } from '../../src/catalog/workflow/workflow.js'

interface Written {
  kind?: 'job' | 'folder'
  folder?: string
  /** `A`, `A@previous`, `or B`, `(A`, `or B)` */
  waits?: string[]
  /** `A`, `-A`, `A@next`, `A on NOTOK` */
  sets?: string[]
  isCyclic?: boolean
}

function waitOf(text: string): Wait {
  const match = /^(or )?(\(*)([^@()]+)(?:@([^()]+))?(\)*)$/.exec(text)!
  const [, or, open = '', condition, odate = 'run-date', close = ''] = match
  const brackets = { ...(open ? { open: open.length } : {}), ...(close ? { close: close.length } : {}) }
  return { condition: condition!, odate, andOr: or ? 'or' : 'and', ...brackets }
}

function setOf(text: string): ConditionSet {
  const match = /^(-?)([^@ ]+)(?:@(\S+))?(?: on (.+))?$/.exec(text)!
  const [, sign, condition, odate = 'run-date', on = ''] = match
  return { condition: condition!, odate, sign: sign === '-' ? '-' : '+', on }
}

/** Jobs and folders by their names, which are their ids too. */
export const stepsOf = (written: Readonly<Record<string, Written>>): Step[] =>
  Object.entries(written).map(([id, { kind = 'job', folder = null, waits = [], sets = [], isCyclic = false }]) => ({
    id,
    kind,
    name: id,
    path: id,
    folder,
    sets: sets.map(setOf),
    isCyclic,
    ...startLogic(waits.map(waitOf)),
  }))
