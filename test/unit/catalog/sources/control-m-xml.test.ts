import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { tablesOfCommand } from '../../../../src/catalog/control-m/command-tables.js'
import { fillAutoEdit, normaliseOdate, withoutSecrets } from '../../../../src/catalog/control-m/control-m.js'
import type { NodeFact } from '../../../../src/catalog/fact.js'
import { describeIf, sharedData } from '../../../support/need.js'
import { codesOf, edgeOf, edgesOf, errorsOf, has, nodeOf, parseXml } from './support.js'

const sink = fs.readFileSync(path.join(import.meta.dirname, '../fixtures/kitchen-sink.xml'), 'utf8')

describe('the kitchen sink', async () => {
  const parsed = await parseXml(sink)
  const load = 'controlm-job:PROD/DAILY/LOAD'

  it('has no errors (a DOCTYPE without entities is no harm)', () => {
    expect(errorsOf(parsed)).toEqual([])
  })

  it('holds folders, sub-folders and jobs, of one name in several places', () => {
    expect(edgesOf(parsed, 'CONTAINS')).toEqual([
      'controlm-folder:PROD/DAILY -> controlm-folder:PROD/DAILY/INNER',
      'controlm-folder:PROD/DAILY -> controlm-job:PROD/DAILY/CHECK',
      'controlm-folder:PROD/DAILY -> controlm-job:PROD/DAILY/LOAD',
      'controlm-folder:PROD/DAILY/INNER -> controlm-job:PROD/DAILY/INNER/LOAD',
      'controlm-folder:PROD/OLD -> controlm-job:PROD/OLD/GATE',
      'controlm-folder:PROD/OLD -> controlm-job:PROD/OLD/PING',
      'controlm-folder:PROD/OLD -> controlm-job:PROD/OLD/PONG',
      'controlm-folder:PROD/OLD -> controlm-job:PROD/OLD/TWIN#7',
      'controlm-folder:PROD/OLD -> controlm-job:PROD/OLD/TWIN#8',
    ])
    expect(nodeOf(parsed, 'controlm-folder:PROD/DAILY').properties).toMatchObject({
      folder_kind: 'smart folder',
      calendars: ['WORKDAYS', 'FIRST_MONDAY'],
    })
  })

  it('reads every property of a job, secrets masked', () => {
    expect(nodeOf(parsed, load)).toMatchObject({
      kind: 'ControlMJob',
      name: 'LOAD',
      properties: {
        folder: 'PROD/DAILY',
        application: 'BANK',
        sub_application: 'FEEDS',
        description: 'Lädt & prüft',
        task_type: 'Command',
        node: 'hdp01',
        run_as: 'svc',
        priority: 'AA',
        critical: true,
        cyclic: false,
        interval_minutes: 120,
        max_wait: 3,
        max_rerun: 2,
        time_from: '22:30',
        time_to: 'open',
        week_days: ['1', '2', '3'],
        months: ['JAN', 'MAR'],
        shift: 'NEXTDAY',
        shift_days: '+01',
        calendars: ['WORKDAYS', 'BANKDAYS'],
        variables: { DB_PASSWORD: '***', STEP: '1' },
        shouts: [{ when: 'NOTOK', dest: 'OPS', urgency: 'U', message: 'Load failed' }],
        resources: [
          { kind: 'quantitative', name: 'SLOTS', quantity: 3 },
          { kind: 'control', name: 'CORE_LOCK', mode: 'shared' },
        ],
        on_actions: [
          {
            code: 'NOTOK',
            statement: '*',
            actions: [
              { action: 'cond', name: 'LOAD_BROKEN', odate: 'ODAT', sign: '+' },
              { action: 'mail', dest: 'ops@bank.example', subject: 'broken' },
            ],
          },
          { code: 'RUNCOUNT GE 3', actions: [{ action: 'STOPCYCLIC' }] },
        ],
      },
    })
    expect(nodeOf(parsed, load).properties['command']).toMatch(/--password \*\*\*$/)
    expect(JSON.stringify(parsed.facts)).not.toMatch(/hunter2|"secret"/)
  })

  it('reads the older spellings just as well', () => {
    expect(nodeOf(parsed, 'controlm-job:PROD/DAILY/CHECK').properties).toMatchObject({
      command: "hive -e 'select count(*) from core.account'",
      run_as: 'svc',
      node: 'hdp02',
      sub_application: 'CHECKS',
      cyclic: true,
      interval_minutes: 60,
      variables: { MODE: 'full=yes' },
    })
  })

  it('ties jobs to conditions, calendars and resources', () => {
    const check = 'controlm-job:PROD/DAILY/CHECK'
    expect(edgeOf(parsed, 'controlm-condition:LOADED', 'BLOCKS', check).properties).toEqual({ odate: 'run-date', and_or: 'and' })
    expect(edgeOf(parsed, 'controlm-condition:LOAD_BROKEN', 'BLOCKS', check)).toMatchObject({
      properties: { odate: 'previous', and_or: 'or' },
      discriminator: 'previous',
    })
    expect(edgeOf(parsed, check, 'RELEASES', 'controlm-condition:CHECKED').properties['odate']).toBe('2024-01-31')
    expect(edgeOf(parsed, check, 'CLEARS', 'controlm-condition:LOADED').properties).toEqual({ odate: 'any', sign: '-' })
    expect(edgeOf(parsed, load, 'RELEASES', 'controlm-condition:LOAD_BROKEN')).toMatchObject({
      discriminator: 'NOTOK',
      properties: { on: 'NOTOK' },
    })
    expect(edgeOf(parsed, 'controlm-condition:GATE_OPEN', 'BLOCKS', 'controlm-folder:PROD/DAILY').label).toBe('BLOCKS')
    expect(edgeOf(parsed, load, 'REQUIRES', 'controlm-resource:quantitative/SLOTS').properties).toEqual({ quantity: 3 })
    expect(edgesOf(parsed, 'SCHEDULES')).toEqual([
      'controlm-calendar:BANKDAYS -> controlm-job:PROD/DAILY/LOAD',
      'controlm-calendar:FIRST_MONDAY -> controlm-folder:PROD/DAILY',
      'controlm-calendar:WORKDAYS -> controlm-folder:PROD/DAILY',
      'controlm-calendar:WORKDAYS -> controlm-job:PROD/DAILY/LOAD',
    ])
  })

  it('derives who depends on whom', () => {
    expect(edgesOf(parsed, 'DEPENDS_ON')).toEqual([
      'controlm-folder:PROD/DAILY -> controlm-job:PROD/OLD/GATE',
      'controlm-job:PROD/DAILY/CHECK -> controlm-job:PROD/DAILY/LOAD',
      'controlm-job:PROD/DAILY/INNER/LOAD -> controlm-job:PROD/DAILY/CHECK',
      'controlm-job:PROD/OLD/PING -> controlm-job:PROD/OLD/PONG',
      'controlm-job:PROD/OLD/PONG -> controlm-job:PROD/OLD/PING',
    ])
    expect(edgeOf(parsed, 'controlm-job:PROD/DAILY/CHECK', 'DEPENDS_ON', load).properties).toEqual({
      conditions: ['LOADED', 'LOAD_BROKEN'],
    })
  })

  it('finds the tables of a command, variables filled in, and leaves them to be looked up', () => {
    const tables = (label: string) =>
      parsed.facts.flatMap((f) =>
        f.fact === 'edge' && f.label === label
          ? [`${f.sourceId.split(':')[1]} ${(f.properties['unresolved'] as { table_name: string }).table_name}`]
          : [],
      )
    expect(tables('READS')).toEqual(['PROD/DAILY/LOAD staging.feed', 'PROD/DAILY/LOAD core.customer', 'PROD/DAILY/CHECK core.account'])
    expect(tables('WRITES')).toEqual(['PROD/DAILY/LOAD core.account'])
  })

  it('warns of dangling conditions, of rings, and of what never starts', () => {
    expect(parsed.problems.map((p) => [p.severity, p.code, p.found])).toEqual([
      ['warning', 'dangling-condition', 'condition "CHEKED", waited for by LOAD'],
      ['warning', 'dependency-cycle', 'jobs that wait for each other in a ring: PING, PONG'],
      ['info', 'never-released', 'PROD/OLD/PING, which waits for PONG'],
      ['info', 'never-released', 'PROD/OLD/PONG, which waits for PING'],
    ])
    expect(parsed.problems[0]?.suggestion).toBe('Did you mean "CHECKED"?')
  })

  it('is the same however the text is cut into pieces', async () => {
    for (const size of [1, 13, 1000]) {
      const pieces = (function* () {
        for (let i = 0; i < sink.length; i += size) yield sink.slice(i, i + size)
      })()
      expect(await parseXml(pieces)).toEqual(parsed)
    }
  })
})

describe('a text', () => {
  it.each([0.2, 0.4, 0.6, 0.8, 0.95])('cut off at %s keeps what was complete before', async (share) => {
    const cut = sink.slice(0, Math.floor(sink.length * share))
    const parsed = await parseXml(cut)
    const complete = (cut.match(/<\/JOB>|<JOB [^>]*\/>/g) ?? []).length
    expect(parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'ControlMJob')).toHaveLength(complete)
    expect(errorsOf(parsed)).toHaveLength(1)
    expect(errorsOf(parsed)[0]).toMatchObject({
      code: 'xml-cut-off',
      where: expect.stringContaining(`jobs.xml:${cut.split('\n').length}:`),
    })
    expect(errorsOf(parsed)[0]!.found).toContain('<DEFTABLE> of line 3')
  })

  it('with entities of its own is refused, without being expanded', async () => {
    const levels = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')
    const lol = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">${levels}]><DEFTABLE><FOLDER FOLDER_NAME="&l30;"/></DEFTABLE>`
    const parsed = await parseXml(lol)
    expect(parsed.facts).toEqual([])
    expect(parsed.problems).toMatchObject([{ severity: 'error', code: 'xml-entities', suggestion: expect.stringContaining('DOCTYPE') }])
  })

  it('that is not well-formed in one place is read in the others', async () => {
    const parsed = await parseXml(
      '<DEFTABLE><FOLDER FOLDER_NAME="F"><JOB JOBNAME="A" CMDLINE="a && b"/><JOB JOBNAME="B" JOBNAME="B2"></JOBB></JOB><JOB JOBNAME="C"/></FOLDER></DEFTABLE>',
    )
    expect(nodeOf(parsed, 'controlm-job:F/A').properties['command']).toBe('a && b')
    expect(has(parsed, 'controlm-job:F/C')).toBe(true)
    expect(new Set(codesOf(parsed))).toEqual(new Set(['xml-ampersand', 'xml-form']))
  })

  it('without anything of Control-M says so', async () => {
    expect(codesOf(await parseXml('<html/>'))).toEqual(['control-m-empty'])
    expect(codesOf(await parseXml(''))).toEqual(['control-m-empty'])
  })

  it('with lone jobs puts them into the folders they name, and calendars get their days', async () => {
    const parsed = await parseXml(
      '<DEFCAL><CALENDAR NAME="BANKDAYS" TYPE="Regular"/><JOB JOBNAME="J" PARENT_FOLDER="F/SUB" DAYSCAL="BANKDAYS"/></DEFCAL>',
    )
    expect(edgesOf(parsed, 'CONTAINS')).toEqual(['controlm-folder:F/SUB -> controlm-job:F/SUB/J'])
    expect(nodeOf(parsed, 'controlm-calendar:BANKDAYS').properties).toEqual({ type: 'Regular' })
  })

  it('of a long chain of jobs is no matter', async () => {
    const n = 20_000
    const jobs = Array.from(
      { length: n },
      (_, i) => `<JOB JOBNAME="J${i}"><INCOND NAME="C${i + 1}"/><OUTCOND NAME="C${i}" SIGN="+"/></JOB>`,
    ).join('')
    const parsed = await parseXml(
      `<DEFTABLE><FOLDER FOLDER_NAME="F">${jobs}<JOB JOBNAME="S"><OUTCOND NAME="C${n}"/></JOB></FOLDER></DEFTABLE>`,
    )
    expect(parsed.problems).toEqual([])
    expect(edgesOf(parsed, 'DEPENDS_ON')).toHaveLength(n)
    const held = await parseXml(`<DEFTABLE><FOLDER FOLDER_NAME="F">${jobs}</FOLDER></DEFTABLE>`)
    expect(held.problems).toHaveLength(52)
    expect(held.problems.at(-1)?.found).toBe(`${n - 50} more jobs like these`)
  })
})

it('ODATE is normalised', () => {
  expect(
    ['ODAT', '', 'odate', 'ANY', '****', '$$$$', 'STAT', 'PREV', 'NEXT', '+001', 'ODAT-2', '+0', '20240229', '20230229', 'XY'].map(
      normaliseOdate,
    ),
  ).toEqual([
    'run-date',
    'run-date',
    'run-date',
    'any',
    'any',
    'any',
    'any',
    'previous',
    'next',
    '+1',
    '-2',
    'run-date',
    '2024-02-29',
    'custom:20230229',
    'custom:XY',
  ])
})

describe('commands', () => {
  it.each([
    ['select a from x.y join `z` on 1=1', ['x.y', 'z'], []],
    ['insert overwrite table t select * from s', ['s'], ['t']],
    ['INSERT INTO t VALUES (1)', [], ['t']],
    ['update t set a = 1; delete from u', [], ['t', 'u']],
    ['merge into t using s on a = b', [], ['t']],
    ['truncate table if exists a.b', [], ['a.b']],
    ['with c as (select 1 from r) select * from c', ['r'], []],
    ['select extract(year from d) from t', ['t'], []],
    ['select * from (select * from inner_one) q', ['inner_one'], []],
    ['echo copied from here into there', [], []],
    ['sh copy.sh --table core.account', [], []],
  ])('%s', (command, reads, writes) => {
    expect(tablesOfCommand(command)).toEqual({ reads, writes })
  })

  it('lose their secrets and get their variables', () => {
    expect(withoutSecrets('x --password=a b --token "c d" -pwd %%P --passwordless y')).toBe(
      'x --password=*** b --token *** -pwd %%P --passwordless y',
    )
    expect(fillAutoEdit('from %%DB..t and %%A.%%UNKNOWN', { DB: 'core', A: 'x' })).toBe('from core.t and x%%UNKNOWN')
  })
})

it('gives each of several jobs of one name in one folder a transition of its own', async () => {
  const job = (inner: string) => `<JOB JOBNAME="J">${inner}</JOB>`
  const parsed = await parseXml(
    `<DEFTABLE><FOLDER FOLDER_NAME="F" DATACENTER="D">${job('<INCOND NAME="A" ODATE="ODAT"/>')}${job('<INCOND NAME="B" ODATE="ODAT"/>')}</FOLDER></DEFTABLE>`,
  )
  const jobs = parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'ControlMJob').map((f) => f as NodeFact)
  const transitions = parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'PetriTransition').map((f) => f as NodeFact)
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(2)
  expect(jobs.every(({ id, qualifiedName }) => id.endsWith(`:${qualifiedName}`))).toBe(true)
  expect(new Set(transitions.map(({ id }) => id)).size).toBe(2)
  expect(transitions.map(({ properties }) => properties['step']).sort()).toEqual(jobs.map(({ id }) => id).sort())
})

describeIf(sharedData, 'no shared data beside the checkout', 'the real exports', () => {
  it.each([
    ['001-tfatf.xml', 3, 3],
    ['002-tftf.xml', 12, 17],
  ])('%s', async (file, jobs, dependencies) => {
    const parsed = await parseXml(fs.readFileSync(path.join(sharedData!, 'control-m', file), 'utf8'))
    expect(parsed.problems).toEqual([])
    expect(parsed.facts.filter((f) => f.fact === 'node' && f.kind === 'ControlMJob')).toHaveLength(jobs)
    expect(edgesOf(parsed, 'DEPENDS_ON')).toHaveLength(dependencies)
  })
})
