import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, startLive, temporaryFolder } from '../support/espalier.js'

describe('espalier dataset steps', () => {
  let live: LiveEspalier
  let folder: string
  const run = (...args: string[]) => espalier(['dataset', ...args, '--url', live.url], { cwd: folder })
  const fine = (...args: string[]) => {
    const { status, stdout, stderr } = run(...args)
    expect(status, stdout + stderr).toBe(0)
    return stdout
  }
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text)

  beforeAll(async () => {
    folder = temporaryFolder()
    live = await startLive(['serve'], { env: { GLEAN_USE_CLI: 'false' } })
    const rows = Array.from({ length: 50 }, (_, i) => JSON.stringify({ amount: i, colour: i % 2 ? 'red' : 'blue' }))
    write('orders.jsonl', `${rows.join('\n')}\n`)
    write('steps.yaml', '- { op: min-max, columns: [amount] }\n- { op: one-hot, columns: [colour] }\n')
    write('torn.yaml', 'op: min-max\n')
    fine('import', 'orders.jsonl', '--project', 'shop', '--name', 'orders', '--kind', 'tabular')
    fine('split', 'orders', '--ratios', '0.8,0.2')
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('fits on the training part, and saves what comes of it', () => {
    expect(fine('steps', 'orders', 'steps.yaml', '--split', 'default')).toMatch(
      /^steps default: 2 fitted on 40 rows of the part train, hash [0-9a-f]{12}$/m,
    )
    const made = JSON.parse(
      fine('steps', 'orders', 'steps.yaml', '--split', 'default', '--name', 'ready', '--to', 'orders-ready', '--json'),
    )
    expect(made.version).toMatchObject({ datasetName: 'orders-ready', number: '1.0', kind: 'tabular' })
    fine('export', 'orders-ready', 'ready.jsonl')
    const [first] = fs.readFileSync(path.join(folder, 'ready.jsonl'), 'utf8').split('\n')
    expect(Object.keys(JSON.parse(first!)).sort()).toEqual(['amount', 'colour=blue', 'colour=red'])
  })

  it('says what is wrong with a file of steps', () => {
    const { status, stderr, stdout } = run('steps', 'orders', 'torn.yaml')
    expect([status, stdout + stderr]).toEqual([2, expect.stringContaining('expected a list of steps')])
  })
})
