import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config.js'
import { detectFormat, formatOf } from '../../../src/datasets/formats/index.js'
import { loadDatasetModules } from '../../../src/datasets/modules.js'
import { parseValidationOptions } from '../../../src/datasets/validation/options.js'
import { validateRows } from '../../../src/datasets/validation/validate.js'

let folder: string
const write = async (name: string, text: string) => {
  const file = path.join(folder, name)
  await writeFile(file, text)
  return file
}
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-modules-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const site = `
export const rules = [{
  name: 'no-shouting', severity: 'error', description: 'Texts are not all capitals.',
  start: (survey, report) => survey.texts && {
    row: ({ text, number }) => { if (text === text.toUpperCase()) report({ row: number, field: 'text' }, 'this shouts') },
  },
}]
export const metrics = [{
  weight: 1,
  metric: { name: 'calm', description: 'Share of texts without exclamation marks.', start: () => {
    let [calm, all] = [0, 0]
    return { row: ({ text }) => { all++; if (!text.includes('!')) calm++ }, end: () => ({ score: calm / all, sampleSize: all, of: 'rows' }) }
  } },
}]
export const formats = [{
  name: 'lines', title: 'A text a line', extensions: ['.lines'], mediaType: 'text/plain', kinds: ['labeled-text'], loses: 'labels',
  async *read() {}, async *write() {},
}]
`

describe('modules of a site', () => {
  it('are named in the configuration, by paths from where it is read', () => {
    const config = readConfig({}, { ESPALIER_DATASET_MODULES: 'a.mjs, sub/b.mjs' }, folder)
    expect(config.datasetModules).toEqual([path.join(folder, 'a.mjs'), path.join(folder, 'sub/b.mjs')])
    expect(readConfig({}, {}, folder).datasetModules).toEqual([])
  })

  it('add rules, dimensions of quality and formats, once', async () => {
    const file = await write('site.mjs', site)
    await loadDatasetModules([file])
    await loadDatasetModules([file])
    const rows = ['GIVE IT BACK TO ME', 'give it to me, now!', 'may I have it please'].map((text) => ({
      row: { text, expected_intent: 'ask', expected_sentiment: 'ok' },
    }))
    const report = await validateRows(rows, 'labeled-text', parseValidationOptions({}))
    expect(report).toMatchObject({ valid: 2, counts: { 'no-shouting': 1 } })
    expect(report.quality.dimensions['calm']).toEqual({ weight: 1, score: 2 / 3, sampleSize: 3, of: 'rows' })
    expect(formatOf('lines').title).toBe('A text a line')
    expect(detectFormat('texts.lines', Buffer.from('hello')).name).toBe('lines')
  })

  it.each([
    ['syntax.mjs', 'export const = 3', 'dataset module'],
    ['empty.mjs', 'export const other = 1', 'it exports other, expected rules, metrics or formats'],
    ['half.mjs', "export const rules = [{ name: 'x', severity: 'fatal', start() {} }]", 'its rules are not as expected'],
    ['twice.mjs', "export const rules = [{ name: 'empty-text', severity: 'error', start() {} }]", 'there is a rule "empty-text" already'],
  ])('that are not as expected are refused, with the file: %s', async (name, text, message) => {
    const file = await write(name, text)
    const loading = loadDatasetModules([file])
    await expect(loading).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining(message) })
    await expect(loading).rejects.toThrow(name)
    await expect(loadDatasetModules([path.join(folder, 'absent.mjs')])).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
