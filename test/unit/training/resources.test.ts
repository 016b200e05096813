import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openResourceMeter } from '../../../src/training/resources.js'

describe('the meter of resources', () => {
  const before = process.env['PATH']
  let folder: string
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-meter-'))
    process.env['PATH'] = folder
  })
  afterEach(() => {
    process.env['PATH'] = before
    fs.rmSync(folder, { recursive: true, force: true })
  })
  /** A program of this name that prints `lines`, or fails. */
  const program = (script: string) => fs.writeFileSync(path.join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

  it('tells of processor and memory, as a share and in bytes', async () => {
    const meter = openResourceMeter()
    for (let end = Date.now() + 30; Date.now() < end; );
    const reading = await meter.read()
    expect(reading.cpu_usage).toBeGreaterThan(0)
    expect(reading.cpu_usage).toBeLessThanOrEqual(1)
    expect(reading.memory_total).toBe(os.totalmem())
    expect(reading.memory_usage).toBeLessThan(reading.memory_total)
    expect(Object.keys(reading).filter((name) => name.startsWith('gpu'))).toEqual([])
  })
  it('sums the GPUs that nvidia-smi lists; usage is their mean', async () => {
    program("echo '40, 1024, 81559'; echo '60, 2048, 81559'")
    expect(await openResourceMeter().read()).toMatchObject({
      gpu_usage: 0.5,
      gpu_memory: 3072 * 2 ** 20,
      gpu_memory_total: 163_118 * 2 ** 20,
    })
  })
  it('has none where it fails or lists none, and asks a failing one no more', async () => {
    program(`echo x >> ${folder}/asked; exit 9`)
    const meter = openResourceMeter()
    expect(await meter.read()).not.toHaveProperty('gpu_usage')
    expect(await meter.read()).not.toHaveProperty('gpu_usage')
    expect(fs.readFileSync(`${folder}/asked`, 'utf8')).toBe('x\n')
    program("echo '[N/A], [N/A], [N/A]'")
    expect(await openResourceMeter().read()).not.toHaveProperty('gpu_usage')
  })
})
