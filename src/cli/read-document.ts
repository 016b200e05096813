import fs from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { EspalierError } from '../util/error.js'

/** What a YAML or JSON file says (`-`: standard input); BAD_INPUT where it cannot be read. `what` it should be is told then. */
export function readDocument(file: string, what: string): unknown {
  try {
    return parseYaml(fs.readFileSync(file === '-' ? 0 : file, 'utf8')) as unknown
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: ${(cause as Error).message}`, { cause, remedy: `Name a YAML or JSON file of ${what}.` })
  }
}
