import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'vitest'

/** Real data beside the checkout; null where it is absent (a user's machine). */
const data = path.resolve(import.meta.dirname, '../../../shared/data')
export const sharedData: string | null = fs.existsSync(path.join(data, 'README.md')) ? data : null

/**
 * `describe` for a suite that needs something of the machine: it runs when `condition` holds, else it is skipped and its title says
 * why. In CI a skip is a failure.
 */
export function describeIf(condition: unknown, reason: string, title: string, body: () => void): void {
  if (condition) {
    describe(title, body)
  } else if (process.env['CI']) {
    describe(title, () => {
      it('has what it needs', () => {
        throw new Error(`in CI a skip is a failure: ${reason}`)
      })
    })
  } else {
    describe.skip(`${title} (skipped: ${reason})`, body)
  }
}
