import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readInputs } from '../../../src/api/ingest-inputs.js'

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-inputs-'))
  fs.mkdirSync(path.join(folder, 'b'))
  for (const [name, text] of Object.entries({
    'z.sql': 'CREATE TABLE z (a INT);',
    'b/a.sql': 'CREATE TABLE a (a INT);',
    'jobs.xml': '<DEFTABLE/>',
    'notes.md': '# notes',
    '.hidden.sql': 'x',
  }))
    fs.writeFileSync(path.join(folder, name), text)
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe('readInputs', () => {
  test('texts are numbered unless they are named; lists fix the dialect', () => {
    expect(
      readInputs({ hiveDdls: [{ text: 'a' }, { text: 'b', name: 'b.sql' }], jsonTables: [{ text: '[]' }], sources: [{ text: 'c' }] }, true),
    ).toEqual([
      { file: 'text 1', text: '[]', dialect: 'json-table' },
      { file: 'text 2', text: 'a', dialect: 'hive-ddl' },
      { file: 'b.sql', text: 'b', dialect: 'hive-ddl' },
      { file: 'text 3', text: 'c' },
    ])
  })

  test('a folder gives its files of the dialect, or all that are recognised, by path', () => {
    expect(readInputs({ hiveDdls: [{ path: folder }] }, true).map((i) => i.file)).toEqual(['b/a.sql', 'z.sql'])
    expect(readInputs({ sources: [{ path: folder }] }, true).map((i) => i.file)).toEqual(['b/a.sql', 'jobs.xml', 'z.sql'])
    expect(readInputs({ sources: [{ path: path.join(folder, 'z.sql') }] }, true)).toEqual([
      { file: 'z.sql', text: 'CREATE TABLE z (a INT);' },
    ])
  })

  test('paths are refused where others could reach the server', () => {
    expect(() => readInputs({ hiveDdls: [{ path: folder }] }, false)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining('hiveDdls[0]') }),
    )
  })

  test('a folder without any is said', () => {
    expect(() => readInputs({ controlMFiles: [{ path: path.join(folder, 'b') }] }, true)).toThrow(
      'no file of a known dialect (control-m-xml, control-m-json)',
    )
    expect(() => readInputs({ hiveDdls: [{ path: path.join(folder, 'none') }] }, true)).toThrow('cannot be read (ENOENT)')
  })
})
