import { dayMs, type Panel, type PanelRow, type Unit } from './panel.js'
import type { SchemaChangeKind } from './timeline.js'

/** Which kinds of change a forecast of a column, of a table, is divided into. */
export const kindsOf = {
  column: ['drop', 'type_transition', 'rename', 'nullable'],
  table: ['add', 'drop'],
} as const satisfies Record<Unit, readonly SchemaChangeKind[]>

export interface Outcome {
  /** anything at all: of a table, also changes of its columns */
  changed: boolean
  kinds: ReadonlySet<SchemaChangeKind>
}

interface Happening {
  at: number
  kind: SchemaChangeKind | 'inside'
}

/** Looks up what became of a row within (at, at + horizon]. A column goes with its table; a table is told of its columns' changes too. */
export function outcomesOf({ changes }: Pick<Panel, 'changes'>): (unit: Unit, row: PanelRow, horizonDays: number) => Outcome {
  const happened: Record<Unit, Map<string, Happening[]>> = { column: new Map(), table: new Map() }
  const note = (unit: Unit, id: string, happening: Happening) => {
    const list = happened[unit].get(id)
    if (list) list.push(happening)
    else happened[unit].set(id, [happening])
  }
  for (const { at, kind, table, column } of changes) {
    if (column === null) {
      if (kind === 'drop') note('table', table, { at, kind })
      continue
    }
    if (kind !== 'add') note('column', column, { at, kind })
    note('table', table, { at, kind: kind === 'add' ? 'add' : 'inside' })
  }
  return (unit, row, horizonDays) => {
    const within = ({ at }: Happening) => at > row.at && at <= row.at + horizonDays * dayMs
    const own = (happened[unit].get(row.id) ?? []).filter(within)
    const withTable = unit === 'column' ? (happened.table.get(row.table) ?? []).filter((h) => h.kind === 'drop' && within(h)) : []
    const all = [...own, ...withTable]
    return { changed: all.length > 0, kinds: new Set(all.flatMap(({ kind }) => (kind === 'inside' ? [] : [kind]))) }
  }
}

/** How changes divide into kinds: P(kind | changed), counted on closed windows, by type of column with all columns behind. */
export class KindShares {
  readonly #changed: Map<string, number>
  readonly #kinds: Map<string, number>
  constructor(changed = new Map<string, number>(), kinds = new Map<string, number>()) {
    this.#changed = changed
    this.#kinds = kinds
  }
  copy(): KindShares {
    return new KindShares(new Map(this.#changed), new Map(this.#kinds))
  }
  /** `weight`: what one row of its window counts; a release of many columns says little more than one of few */
  learn(unit: Unit, row: PanelRow, outcome: Outcome, weight = 1): void {
    if (!outcome.changed) return
    for (const key of [unit, `${unit} ${row.type}`]) {
      this.#changed.set(key, (this.#changed.get(key) ?? 0) + weight)
      for (const kind of outcome.kinds) this.#kinds.set(`${key} ${kind}`, (this.#kinds.get(`${key} ${kind}`) ?? 0) + weight)
    }
  }
  share(unit: Unit, row: PanelRow, kind: SchemaChangeKind): number {
    const overall = this.overall(unit, kind)
    const key = `${unit} ${row.type}`
    return ((this.#kinds.get(`${key} ${kind}`) ?? 0) + priorOfKinds * overall) / ((this.#changed.get(key) ?? 0) + priorOfKinds)
  }
  overall(unit: Unit, kind: SchemaChangeKind): number {
    const even = 1 / (kindsOf[unit].length + 1)
    return ((this.#kinds.get(`${unit} ${kind}`) ?? 0) + 2 * even) / ((this.#changed.get(unit) ?? 0) + 2)
  }
}

/** windows with a change that the level above is worth */
const priorOfKinds = 50
