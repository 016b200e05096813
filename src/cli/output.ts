import { Presets, SingleBar } from 'cli-progress'

/** Where a command's answer goes: text for people, or one JSON document with `--json`. Progress never goes to standard output. */
export interface Output {
  readonly json: boolean
  /** a line for people; silent with --json */
  say(line?: string): void
  /** the command's answer: `text` for people, `value` with --json */
  answer(value: unknown, text: string): void
}

export function createOutput(json: boolean): Output {
  const write = (text: string) => process.stdout.write(`${text}\n`)
  return {
    json,
    say: (line = '') => {
      if (!json) write(line)
    },
    answer: (value, text) => write(json ? JSON.stringify(value, null, 2) : text),
  }
}

/** `1 row`, `2 rows`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** A table with aligned columns; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => (cell === null || cell === undefined ? '' : String(cell))))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const isNumber = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return [line(cells[0]!), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.slice(1).map(line)].join('\n')
}

export interface Progress {
  /** `fraction` in 0..1; `note` is the newest figure (a loss) */
  update(fraction: number, note: string): void
  stop(): void
}

/** A progress bar on a terminal; elsewhere one plain line for every tenth, on standard error. */
export function createProgress(title: string): Progress {
  if (process.stderr.isTTY) {
    const bar = new SingleBar({ format: `${title} [{bar}] {percentage}% {note}`, stream: process.stderr, hideCursor: true }, Presets.legacy)
    bar.start(1, 0, { note: '' })
    return { update: (fraction, note) => bar.update(fraction, { note }), stop: () => bar.stop() }
  }
  let tenth = -1
  return {
    update: (fraction, note) => {
      const now = Math.floor(fraction * 10)
      if (now <= tenth) return
      tenth = now
      process.stderr.write(`${title}: ${Math.round(fraction * 100)} % ${note}\n`)
    },
    stop: () => {},
  }
}
