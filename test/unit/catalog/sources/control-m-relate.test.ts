import { describe, expect, it } from 'vitest'
import type { Fact } from '../../../../src/catalog/fact.js'
import { controlMJson } from '../../../../src/catalog/sources/control-m-json.js'
import { relateControlM } from '../../../../src/catalog/sources/control-m-relate.js'
import { controlMXml } from '../../../../src/catalog/sources/control-m-xml.js'
import type { Problem } from '../../../../src/util/problem.js'
import { bank, codesOf, edgesOf } from './support.js'

const loads = '<DEFTABLE><FOLDER FOLDER_NAME="A"><JOB JOBNAME="LOAD"><OUTCOND NAME="LOADED"/></JOB></FOLDER></DEFTABLE>'
const uses = JSON.stringify({
  B: {
    Type: 'Folder',
    USE: {
      Type: 'Job:Command',
      in: { Type: 'WaitForEvents', Events: [{ Event: 'LOADED' }] },
      out: { Type: 'AddEvents', Events: [{ Event: 'USED' }] },
    },
    NEXT: { Type: 'Job:Command', in: { Type: 'WaitForEvents', Events: [{ Event: 'USED' }, { Event: 'LOADED' }] } },
    LOST: { Type: 'Job:Command', in: { Type: 'WaitForEvents', Events: [{ Event: 'LOADDED' }] } },
  },
})

async function both(files: Record<string, string>): Promise<{ facts: Fact[]; problems: Problem[] }> {
  const facts: Fact[] = []
  const problems: Problem[] = []
  for (const [file, text] of Object.entries(files)) {
    const parsed = await (text.startsWith('<') ? controlMXml : controlMJson).parse(text, { ...bank, file })
    facts.push(...parsed.facts)
    problems.push(...parsed.problems)
  }
  return { facts, problems }
}

const related = ({ facts, problems }: { facts: Fact[]; problems: Problem[] }) => {
  const found = relateControlM(facts, problems)
  return { facts: [...found.facts], problems: [...found.problems] }
}

describe('jobs of several files', () => {
  it('depend on each other, and are judged together', async () => {
    const alone = await both({ 'a.xml': loads, 'b.json': uses })
    expect(codesOf(alone)).toEqual(['dangling-condition', 'dangling-condition', 'never-released', 'never-released', 'never-released'])
    expect(edgesOf(alone, 'DEPENDS_ON')).toEqual(['controlm-job:B/NEXT -> controlm-job:B/USE'])
    const found = related(alone)
    expect(edgesOf(found, 'DEPENDS_ON')).toEqual([
      'controlm-job:B/NEXT -> controlm-job:A/LOAD',
      'controlm-job:B/NEXT -> controlm-job:B/USE',
      'controlm-job:B/USE -> controlm-job:A/LOAD',
    ])
    expect(found.problems.map((p) => [p.code, p.where, p.suggestion])).toEqual([
      ['dangling-condition', 'b.json:/B/LOST', 'Did you mean "LOADED"?'],
      ['never-released', 'b.json:/B/LOST', undefined],
    ])
    // all else stays
    const others = (facts: Fact[]) => facts.filter((f) => !(f.fact === 'edge' && f.label === 'DEPENDS_ON'))
    expect(others(found.facts)).toEqual(others(alone.facts))
  })

  it('are the same whichever file comes first', async () => {
    const [ab, ba] = [related(await both({ 'a.xml': loads, 'b.json': uses })), related(await both({ 'b.json': uses, 'a.xml': loads }))]
    expect(edgesOf(ab, 'DEPENDS_ON')).toEqual(edgesOf(ba, 'DEPENDS_ON'))
    expect(codesOf(ab)).toEqual(codesOf(ba))
  })

  it('of one file stay as they were', async () => {
    const alone = await both({ 'b.json': uses })
    expect(relateControlM(alone.facts, alone.problems)).toEqual(alone)
  })
})
