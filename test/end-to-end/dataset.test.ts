import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, startLive, temporaryFolder } from '../support/espalier.js'

// Over 10 s: each of some thirty commands is a process of its own, as it is for people.
describe('espalier dataset', () => {
  let live: LiveEspalier
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder, name)
  /** Runs a command on the live server; answers its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  const run = (...args: string[]): any => {
    const { status, stdout, stderr } = espalier(['dataset', ...args, '--home', live.home, '--json'], { cwd: folder })
    return { status, stderr, ...(stdout.trim() === '' ? {} : { answer: JSON.parse(stdout) }) }
  }
  beforeAll(async () => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `"say ${i % 2 ? 'hello' : 'good bye'}, friend number ${i}",${i % 2 ? 'greet' : 'leave'}`,
    )
    fs.writeFileSync(at('talk.csv'), `utterance,intent\n${rows.join('\n')}\n`)
    live = await startLive(['serve'])
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('takes a file to a version, judges, mends, splits, tags and edits it, and gives it back in another format', () => {
    const imported = run('import', 'talk.csv', '--project', 'words', '--map', 'utterance=text', '--map', 'intent=expected_intent')
    expect(imported).toMatchObject({ status: 0, answer: { isNew: true, version: { number: '1.0', rowCount: '12', kind: 'labeled-text' } } })
    expect(run('list', '--project', 'words').answer).toMatchObject([{ name: 'talk', kind: 'labeled-text' }])
    const { answer: shown } = run('show', 'talk', '--rows', '1')
    expect(shown.rows[0].row.text).toBe('say good bye, friend number 0')
    // the import mapped the intent alone, so no sentiment is asked for
    expect(run('validate', 'talk')).toMatchObject({ status: 0, answer: { passed: true, total: 12 } })
    expect(run('validate', 'talk', '--required', 'sentiment')).toMatchObject({ status: 1, answer: { passed: false, invalid: 12 } })
    expect(run('quality', 'words/talk').answer.dimensions.completeness.score).toBe(1)
    expect(run('enhance', 'talk', '--step', 'enrich', '--dry-run').answer).toMatchObject({ version: null, rowsAfter: 12 })
    expect(run('tag', 'talk@1.0', 'first').status).toBe(0)
    const edited = run('edit', 'talk', '--set', `${shown.rows[0].key}.expected_intent=other`, '--description', 'one mended')
    expect(edited.answer).toMatchObject({ changed: 1, version: { description: 'one mended' } })
    expect(run('diff', 'talk@first', 'talk').answer).toMatchObject({ added: 1, removed: 1 })
    expect(run('restore', 'talk@first').answer).toMatchObject({ isNew: true })
    expect(run('versions', 'talk').answer.map((v: { tags: string[] }) => v.tags)).toEqual([[], [], ['first']])
    const counts: Record<string, number> = run('split', 'talk', '--ratios', '0.5,0.5').answer.counts
    expect(counts).toEqual({ train: 6, test: 6 })
    expect(run('statistics', 'talk').answer.rows).toBe(12)
    expect(run('export', 'talk@first', 'talk.parquet', '--format', 'parquet').answer).toMatchObject({ file: 'talk.parquet', loses: null })
    expect(run('convert', 'talk.parquet', 'talk.spacy.json').answer).toMatchObject({ from: 'parquet', to: 'spacy' })
    expect(run('import', 'talk.spacy.json', '--project', 'words', '--name', 'talk').answer).toMatchObject({ isNew: false })
    fs.writeFileSync(at('half.yaml'), 'intent_mapping: { leave: bye }\nfilter: [{ field: text, is: contains, value: bye }]\n')
    expect(run('derive', 'talk@first', 'half.yaml', '--name', 'half').answer).toMatchObject({ isNew: true, version: { rowCount: '6' } })
    expect(run('delete', 'half', '--yes').answer).toMatchObject({ versions: 1 })
    expect(run('delete', 'talk').status).toBe(2)
    expect(run('delete', 'talk', '--yes').answer).toMatchObject({ name: 'talk', versions: 3 })
    expect(run('show', 'talk').status).toBe(1)
  })

  it('says what is wrong with a file, and leaves nothing half done', () => {
    fs.writeFileSync(at('bad.jsonl'), '{"text":"fine"}\n{"text":7}\n')
    const bad = espalier(['dataset', 'import', 'bad.jsonl', '--project', 'words', '--home', live.home], { cwd: folder })
    expect(bad.status).toBe(2)
    expect(bad.stderr).toContain('bad.jsonl:2:text')
    expect(run('list', '--project', 'words').answer).toEqual([])
    expect(run('check', 'bad.jsonl', '--required', 'intent')).toMatchObject({
      status: 1,
      answer: { format: 'jsonl', total: 2, invalid: 2, counts: { types: 1, 'required-labels': 2 } },
    })
    fs.writeFileSync(at('program.pkl'), new Uint8Array([0x80, 4, 0x2e]))
    for (const args of [
      ['import', 'program.pkl', '--project', 'words'],
      ['convert', 'program.pkl', 'x.jsonl'],
      ['convert', 'bad.jsonl', 'x.pkl'],
    ]) {
      const refused = run(...args)
      expect([refused.status, refused.answer.error.message]).toEqual([2, expect.stringContaining('pickle is refused')])
    }
    expect(run('convert', 'bad.jsonl', 'x.csv').status).toBe(2)
    expect(fs.readdirSync(folder).filter((name) => name.includes('x.'))).toEqual([])
  })
})
