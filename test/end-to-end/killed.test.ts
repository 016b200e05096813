import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, userEnvironment } from '../support/espalier.js'

/** A few kills of each long case (`npm run test:soak -- kill-ingest kill-projection` makes fifty). */
const soak = (name: string) =>
  spawnSync(process.execPath, [path.join(root, 'scripts/soak/main.mjs'), name], {
    env: { ...userEnvironment(), SOAK_KILLS: '3' },
    encoding: 'utf8',
    timeout: 220_000,
  })

describe('Espalier, killed at random moments', () => {
  it.each([
    ['kill-ingest', /after each kill the ledger was that of an undisturbed load.*the graph is the ledger: \d{3,} nodes/],
    ['kill-import', /after each kill the version was there whole \(\d+ times\) or not at all \(\d+ times\)/],
    ['kill-projection', /it came to be the ledger every time: at last \d{3,} nodes/],
  ])('%s: nothing is lost, nothing is there twice', (name, says) => {
    const { status, stdout, stderr } = soak(name)
    expect(
      {
        status,
        stderr: stderr
          .split('\n')
          .filter((line) => !line.startsWith('npm '))
          .join('\n'),
      },
      stdout,
    ).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/seed \d+: 3 kills/)
    expect(stdout).toMatch(says)
  })
})
