import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fact, ParsedSource } from '../../../../src/catalog/fact.js'
import { detectDialect, parseSource } from '../../../../src/catalog/sources/index.js'
import { bank, codesOf, edgeOf, edgesOf, errorsOf, has, nodeOf, ordered, parseXml } from './support.js'

const parseJson = async (text: string): Promise<ParsedSource> =>
  ordered(await parseSource('control-m-json', text, { ...bank, file: 'jobs.json' }))
const sink = fs.readFileSync(path.join(import.meta.dirname, '../fixtures/kitchen-sink-control-m.json'), 'utf8')
const [load, check] = ['controlm-job:PROD/DAILY/LOAD', 'controlm-job:PROD/DAILY/CHECK']

describe('the kitchen sink', async () => {
  const parsed = await parseJson(sink)

  it('is recognised', () => {
    expect(detectDialect('jobs.json', sink)).toBe('control-m-json')
    expect(detectDialect('jobs.txt', sink)).toBe('control-m-json')
  })

  it('holds folders, sub-folders and jobs, under their server', () => {
    expect(edgesOf(parsed, 'CONTAINS').filter((e) => !e.includes('TWIN'))).toEqual([
      'controlm-folder:PROD/DAILY -> controlm-folder:PROD/DAILY/INNER',
      'controlm-folder:PROD/DAILY -> controlm-job:PROD/DAILY/CHECK',
      'controlm-folder:PROD/DAILY -> controlm-job:PROD/DAILY/LOAD',
      'controlm-folder:PROD/DAILY/INNER -> controlm-job:PROD/DAILY/INNER/SLA',
      'controlm-folder:PROD/DAILY/INNER -> controlm-job:PROD/DAILY/INNER/Weird:name',
      'controlm-folder:TEST/PLAIN -> controlm-job:TEST/PLAIN/OPEN',
    ])
    expect(edgesOf(parsed, 'CONTAINS').filter((e) => /TWIN#[0-9a-f]{8}$/.test(e))).toHaveLength(2)
    expect(nodeOf(parsed, 'controlm-folder:PROD/DAILY')).toMatchObject({
      properties: {
        folder_kind: 'smart folder',
        order_method: 'Manual',
        calendars: ['WORKDAYS'],
        variables: { DB: 'core' },
        run_as: 'svc',
      },
      provenance: { dialect: 'control-m-json', location: '/DAILY' },
    })
    expect(nodeOf(parsed, 'controlm-folder:PROD/DAILY').properties).not.toHaveProperty('node')
    expect(nodeOf(parsed, 'controlm-folder:TEST/PLAIN').properties['folder_kind']).toBe('folder')
    expect(nodeOf(parsed, 'controlm-calendar:WORKDAYS').properties).toEqual({ type: 'RuleBased' })
  })

  it('reads every property of a job, defaults filled in, secrets masked', () => {
    expect(nodeOf(parsed, load).properties).toEqual({
      folder: 'PROD/DAILY',
      application: 'BANK',
      sub_application: 'FEEDS',
      description: 'Lädt & prüft',
      command: "hive -e 'insert into %%DB..account select * from staging.feed' --password ***",
      task_type: 'Command',
      run_as: 'svc',
      node: 'hdp01',
      priority: 'Very_High',
      critical: true,
      cyclic: true,
      interval_minutes: 120,
      max_rerun: 3,
      time_from: '22:30',
      time_to: 'open',
      week_days: ['1', '2', 'DMONW2'],
      months: ['JAN', 'MAR'],
      dates: ['0310'],
      days_and_or: 'O',
      calendars: ['BANKDAYS', 'HOLIDAYS'],
      variables: { DB_PASSWORD: '***', STEP: '1' },
      resources: [{ kind: 'quantitative', name: 'SLOTS', quantity: 3 }],
      shouts: [{ when: 'NOTOK', dest: 'OPS', urgency: 'U', message: 'Load failed' }],
      on_actions: [
        { code: 'NOTOK', actions: [{ action: 'mail', dest: 'ops@bank.example', subject: 'broken' }] },
        {
          code: 'COMPSTAT EQ 7',
          actions: [
            { action: 'cond', name: 'LOAD_BROKEN', odate: 'ODAT', sign: '+' },
            { action: 'forcejob', table_name: 'REPAIR', name: 'FIX' },
          ],
        },
      ],
    })
    expect(nodeOf(parsed, check).properties).toMatchObject({
      member: 'check.sh',
      member_library: '/opt/bank/bin',
      task_type: 'Job',
      time_from: '03:00',
      time_to: '21:00',
    })
    expect(nodeOf(parsed, 'controlm-job:PROD/DAILY/INNER/SLA').properties).toMatchObject({
      job_type: 'Job:SLAManagement',
      service: 'Close of day',
    })
    expect(nodeOf(parsed, 'controlm-job:TEST/PLAIN/OPEN').properties).toMatchObject({ run_as: 'root', application: 'BANK' })
  })

  it('ties jobs to events, with brackets, days and codes', () => {
    expect(edgeOf(parsed, 'controlm-condition:LOAD_BROKEN', 'BLOCKS', check).properties).toEqual({ odate: 'previous', and_or: 'or' })
    expect(edgeOf(parsed, 'controlm-condition:READY', 'BLOCKS', check).properties).toEqual({ odate: 'any', and_or: 'and' })
    expect(edgeOf(parsed, load, 'RELEASES', 'controlm-condition:LOAD_BROKEN')).toMatchObject({
      discriminator: 'COMPSTAT EQ 7',
      properties: { on: 'COMPSTAT EQ 7', sign: '+', odate: 'run-date' },
    })
    expect(edgeOf(parsed, check, 'CLEARS', 'controlm-condition:LOADED').properties['sign']).toBe('-')
    expect(edgeOf(parsed, 'controlm-condition:GATE_OPEN', 'BLOCKS', 'controlm-folder:PROD/DAILY').label).toBe('BLOCKS')
    const starts = nodeOf(parsed, check).properties['start_when'] as { condition: string; odate: string }[][]
    const said = starts.map((a) =>
      a
        .map((w) => `${w.condition} ${w.odate}`)
        .sort()
        .join(', '),
    )
    const always = ['LOAD-TO-CHECK run-date', 'READY any']
    const either = (...more: string[]) => [...more, ...always].sort().join(', ')
    expect(said.sort()).toEqual(
      [
        either('LOADED run-date', 'MANUAL any'),
        either('LOADED run-date', '0511 custom:0511'),
        either('LOAD_BROKEN previous', 'MANUAL any'),
        either('LOAD_BROKEN previous', '0511 custom:0511'),
      ].sort(),
    )
  })

  it('makes events of flows, from job to sub-folder too', () => {
    expect(edgesOf(parsed, 'DEPENDS_ON')).toEqual([
      'controlm-folder:PROD/DAILY -> controlm-job:TEST/PLAIN/OPEN',
      'controlm-folder:PROD/DAILY/INNER -> controlm-job:PROD/DAILY/CHECK',
      'controlm-job:PROD/DAILY/CHECK -> controlm-job:PROD/DAILY/LOAD',
      'controlm-job:PROD/DAILY/CHECK -> controlm-job:TEST/PLAIN/OPEN',
    ])
    const event = 'controlm-condition:LOAD-TO-CHECK'
    expect(edgeOf(parsed, load, 'RELEASES', event).properties).toEqual(
      edgeOf(parsed, load, 'RELEASES', 'controlm-condition:LOADED').properties,
    )
    expect([edgeOf(parsed, event, 'BLOCKS', check).label, edgeOf(parsed, check, 'CLEARS', event).label]).toEqual(['BLOCKS', 'CLEARS'])
  })

  it('finds the tables of commands and scripts', () => {
    const writes = parsed.facts.flatMap((f) => (f.fact === 'edge' && f.label === 'WRITES' ? [f.properties['unresolved']] : []))
    expect(writes).toEqual([{ table_name: 'core.account' }, { table_name: 'core.log' }])
  })

  it('warns of what it does not understand, with its place', () => {
    expect(parsed.problems.filter((p) => p.code.startsWith('control-m')).map((p) => [p.code, p.where, p.suggestion])).toEqual([
      ['control-m-type', 'jobs.json:/PLAIN/typo', 'Did you mean "WaitForEvents"?'],
      ['control-m-flow', 'jobs.json:/PLAIN/Broken', 'Did you mean "OPEN"?'],
    ])
    expect(errorsOf(parsed)).toEqual([])
    expect(JSON.stringify(parsed.facts)).not.toMatch(/hunter2|"secret"/)
  })
})

describe('a text', () => {
  it.each([0.35, 0.5, 0.65, 0.8, 0.97])('cut off at %s keeps the jobs that were complete', async (share) => {
    const whole = await parseJson(sink)
    const cut = sink.slice(0, Math.floor(sink.length * share))
    const parsed = await parseJson(cut)
    expect(codesOf(parsed)).toContain('json-cut-off')
    const jobs = (p: ParsedSource) => p.facts.filter((f) => f.fact === 'node' && f.kind === 'ControlMJob')
    for (const job of jobs(parsed)) expect(jobs(whole).map((j) => j.fact === 'node' && j.name)).toContain(job.fact === 'node' && job.name)
    const complete = [...cut.matchAll(/^ {4}"(LOAD|CHECK|OPEN)": \{[\s\S]*?\n {4}\},$/gm)].map((m) => m[1])
    for (const name of ['LOAD', 'CHECK']) expect(has(parsed, `controlm-job:PROD/DAILY/${name}`)).toBe(complete.includes(name))
  })

  it('cut off anywhere never throws, and tells no job that was not complete', async () => {
    const text = JSON.stringify({
      F: {
        Type: 'Folder',
        A: { Type: 'Job:Command', Command: 'a,"}' },
        Jobs: [
          { Type: 'Job', Name: 'B' },
          { Type: 'Job', Name: 'C', Command: 'c' },
        ],
      },
    })
    for (let end = 0; end < text.length; end++) {
      const parsed = await parseJson(text.slice(0, end))
      expect(errorsOf(parsed)).toHaveLength(1)
      // the closing brace of each, as offsets in the text
      expect(has(parsed, 'controlm-job:F/A')).toBe(end > text.indexOf('},"Jobs') + 1)
      expect(has(parsed, 'controlm-job:F/B')).toBe(end > text.indexOf('},{"Type":"Job","Name":"C"') + 1)
      expect(has(parsed, 'controlm-job:F/C')).toBe(false)
    }
  })

  it.each([
    ['', 'json-form'],
    ['{"a" 1}', 'json-form'],
    ['[]', 'control-m-empty'],
    ['{"F": {"Type": "ConnectionProfile:SFTP"}}', 'control-m-empty'],
  ])('%j says what is wrong', async (text, code) => {
    expect(codesOf(await parseJson(text))).toEqual([code])
  })

  it('with the names that every object has is no trouble', async () => {
    const text = `{"constructor": {"Type": "Folder", "__proto__": {"Type": "Job:Command", "Command": "x", "Variables": [{"__proto__": "v"}],
      "toString": {"Type": "constructor"}, "e": {"Type": "AddEvents", "Events": [{"Event": "hasOwnProperty", "Date": "constructor"}]}}}}`
    const parsed = await parseJson(text)
    expect(errorsOf(parsed)).toEqual([])
    expect(has(parsed, 'controlm-job:constructor/__proto__')).toBe(true)
  })

  it.each([
    ['rows', '[{"Type": "Folder"}]'],
    ['a list of files', '{"items": [{"Type": "Folder", "Name": "x"}]}'],
    ['something else', '{"name": {"Type": "Point"}}'],
  ])('of %s is not taken for Control-M', (_, text) => {
    expect(detectDialect('x.json', text)).toBe('json-table')
  })
})

// -- the same estate, written twice -----------------------------------------------------------------------------------------------

interface Job {
  name: string
  command: string
  runAs: string
  months: string[]
  from: string
  variables: Record<string, string>
  waits: { name: string; date: string; or: boolean }[]
  adds: { name: string; date: string }[]
  deletes: { name: string; date: string }[]
  on: { code: string; event: string; sign: '+' | '-' }[]
  pool: { name: string; quantity: number } | null
  calendar: string | null
  cyclic: number | null
}
interface Folder {
  name: string
  kind: 'Folder' | 'SimpleFolder'
  waits: Job['waits']
  jobs: Job[]
  inner: Folder[]
}

const word = fc.stringMatching(/^[A-Z][A-Z0-9_-]{0,6}$/)
const condition = fc.constantFrom('C1', 'C2', 'C3', 'Ü & <4>')
const date = fc.constantFrom('OrderDate', 'AnyDate', 'PreviousOrderDate', 'NextOrderDate', '+002')
const xmlDates: Record<string, string> = {
  OrderDate: 'ODAT',
  AnyDate: '****',
  PreviousOrderDate: 'PREV',
  NextOrderDate: 'NEXT',
  '+002': '+002',
}
const waits = fc.array(fc.record({ name: condition, date, or: fc.boolean() }), { maxLength: 4 })
const events = fc.array(fc.record({ name: condition, date }), { maxLength: 2 })
const job: fc.Arbitrary<Job> = fc.record({
  name: word,
  command: fc.constantFrom('echo 1', "hive -e 'insert into a.b select * from c'", 'run --token "x y"', ' a && b < c '),
  runAs: fc.constantFrom('svc', 'root'),
  months: fc.subarray(['JAN', 'MAY', 'DEC']),
  from: fc.constantFrom('0000', '2230'),
  variables: fc.dictionary(word, fc.constantFrom('1', 'a=b', '%%X'), { maxKeys: 2, noNullPrototype: true }),
  waits,
  adds: events,
  deletes: events,
  on: fc.array(fc.record({ code: fc.constantFrom('OK', 'NOTOK'), event: condition, sign: fc.constantFrom('+' as const, '-' as const) }), {
    maxLength: 2,
  }),
  pool: fc.option(fc.record({ name: word, quantity: fc.nat(9) })),
  calendar: fc.option(word),
  cyclic: fc.option(fc.integer({ min: 1, max: 90 })),
})
const byName = { selector: (x: { name: string }) => x.name }
const folder = (depth: number): fc.Arbitrary<Folder> =>
  fc
    .record({
      name: word,
      kind: fc.constantFrom('Folder' as const, 'SimpleFolder' as const),
      waits,
      jobs: fc.uniqueArray(job, { maxLength: 3, ...byName }),
      inner: depth > 0 ? fc.uniqueArray(folder(depth - 1), { maxLength: 1, ...byName }) : fc.constant<Folder[]>([]),
    })
    // a job and a sub-folder cannot share a key of one JSON object
    .map((f) => ({ ...f, jobs: f.jobs.filter((j) => !f.inner.some((i) => i.name === j.name)) }))

const attribute = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
const xmlWaits = (list: Job['waits']) =>
  list.map((w, i) => `<INCOND NAME="${attribute(w.name)}" ODATE="${xmlDates[w.date]}" AND_OR="${w.or && i > 0 ? 'O' : 'A'}"/>`).join('')
function xmlJob(j: Job): string {
  const sets = [...j.adds.map((e) => ({ ...e, sign: '+' })), ...j.deletes.map((e) => ({ ...e, sign: '-' }))]
  return `<JOB JOBNAME="${j.name}" CMDLINE="${attribute(j.command)}" TASKTYPE="Command" RUN_AS="${j.runAs}" TIMEFROM="${j.from}" ${j.months.map((m) => `${m}="1"`).join(' ')}
    ${j.calendar ? `DAYSCAL="${j.calendar}"` : ''} ${j.cyclic ? `CYCLIC="Y" INTERVAL="${j.cyclic}M"` : ''}>${xmlWaits(j.waits)}
    ${sets.map((e) => `<OUTCOND NAME="${attribute(e.name)}" ODATE="${xmlDates[e.date]}" SIGN="${e.sign}"/>`).join('')}
    ${j.on.map((o) => `<ON CODE="${o.code}"><DOCOND NAME="${attribute(o.event)}" ODATE="ODAT" SIGN="${o.sign}"/></ON>`).join('')}
    ${j.pool ? `<QUANTITATIVE NAME="${j.pool.name}" QUANT="${j.pool.quantity}"/>` : ''}
    ${Object.entries(j.variables)
      .map(([n, v]) => `<VARIABLE NAME="%%${n}" VALUE="${attribute(v)}"/>`)
      .join('')}</JOB>`
}
const xmlFolder = (f: Folder, isInner = false): string => {
  const element = isInner ? 'SUB_FOLDER' : f.kind === 'Folder' ? 'SMART_FOLDER' : 'FOLDER'
  const body = `${xmlWaits(f.waits)}${f.jobs.map(xmlJob).join('')}${f.inner.map((i) => xmlFolder(i, true)).join('')}`
  return `<${element} ${isInner ? 'JOBNAME' : 'DATACENTER="DC" FOLDER_NAME'}="${f.name}">${body}</${element}>`
}

const jsonWaits = (list: Job['waits']) =>
  list.length === 0
    ? {}
    : {
        'in 1': {
          Type: 'WaitForEvents',
          Events: list.flatMap((w, i) => [...(w.or && i > 0 ? ['OR'] : []), { Event: w.name, Date: w.date }]),
        },
      }
const jsonEvents = (list: Job['adds']) => list.map((e) => ({ Event: e.name, ...(e.date === 'OrderDate' ? {} : { Date: e.date }) }))
const jsonJob = (j: Job) => ({
  Type: 'Job:Command',
  Command: j.command,
  RunAs: j.runAs,
  When: { FromTime: j.from, Months: j.months.length > 0 ? j.months : ['NONE'], ...(j.calendar ? { MonthDaysCalendar: j.calendar } : {}) },
  ...(j.cyclic ? { Rerun: { Every: String(j.cyclic), Units: 'Minutes' } } : {}),
  ...jsonWaits(j.waits),
  'out 1': { Type: 'AddEvents', Events: jsonEvents(j.adds) },
  'out 2': { Type: 'DeleteEvents', Events: jsonEvents(j.deletes) },
  ...Object.fromEntries(
    j.on.map((o, i) => [
      `if ${i}`,
      { Type: 'If', CompletionStatus: o.code, do: { Type: o.sign === '+' ? 'Event:Add' : 'Event:Delete', Event: o.event } },
    ]),
  ),
  ...(j.pool ? { Resources: [{ Name: j.pool.name, Type: 'Resource:Pool', Quantity: String(j.pool.quantity) }] } : {}),
  Variables: Object.entries(j.variables).map(([n, v]) => ({ [n]: v })),
})
const jsonFolder = (f: Folder, isInner = false): object => ({
  Type: isInner ? 'SubFolder' : f.kind,
  ...jsonWaits(f.waits),
  ...Object.fromEntries(f.jobs.map((j) => [j.name, jsonJob(j)])),
  ...Object.fromEntries(f.inner.map((i) => [i.name, jsonFolder(i, true)])),
})

/** Without where it was read, in an order of its own. */
const content = (facts: readonly Fact[]) =>
  facts
    .map((fact) => ({ ...fact, provenance: null }))
    .map(
      (fact) =>
        [
          JSON.stringify(fact, (_, v) =>
            v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
          ),
          fact,
        ] as const,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, fact]) => fact)

describe('an estate written in XML and in JSON', () => {
  it('has the same nodes and edges, the net included, and the same problems', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(folder(2), { minLength: 1, maxLength: 3, ...byName }), async (folders) => {
        const xml = await parseXml(`<DEFTABLE>${folders.map((f) => xmlFolder(f)).join('')}</DEFTABLE>`)
        const json = await parseJson(
          JSON.stringify({ Defaults: { ControlmServer: 'DC' }, ...Object.fromEntries(folders.map((f) => [f.name, jsonFolder(f)])) }),
        )
        expect(content(json.facts)).toEqual(content(xml.facts))
        const said = (p: ParsedSource) => p.problems.map((q) => `${q.code} ${q.found}`).sort()
        expect(said(json)).toEqual(said(xml))
      }),
      { numRuns: 150 },
    )
  })
})
