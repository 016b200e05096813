import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, root, startLive, temporaryFolder, userEnvironment } from '../support/espalier.js'

describe('espalier train and espalier runs', () => {
  let live: LiveEspalier
  let folder: string
  const run = (...args: string[]) => espalier([...args, '--url', live.url], { cwd: folder })
  const json = (...args: string[]) => {
    const outcome = run(...args, '--json')
    expect(outcome.status, outcome.stdout + outcome.stderr).toBe(0)
    return JSON.parse(outcome.stdout)
  }
  const told = (pattern: RegExp, ...args: string[]) => {
    const { status, stdout, stderr } = run(...args)
    expect([status, stdout + stderr]).toEqual([expect.any(Number), expect.stringMatching(pattern)])
    expect(status).not.toBe(0)
  }
  const config = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text)
    return name
  }

  beforeAll(async () => {
    folder = temporaryFolder()
    live = await startLive(['serve'], { env: { GLEAN_USE_CLI: 'false' } })
    const estate = path.join(root, 'scripts/demo/estate/v4/hive')
    expect(run('ingest', estate, '--project', 'bank', '--system', 'hive').status).toBe(0)
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  let first: { id: string }
  it('takes options from a YAML or JSON file, and flags before them', () => {
    const yaml = config(
      'run.yaml',
      'training: { epochs: 9, patience: null, seed: 4, checkpointEverySteps: 2, schedule: { name: constant } }\nmodel:\n  hidden: 8\n',
    )
    first = json('train', 'ggnn', '--config', yaml, '--epochs', '2', '--profile-steps', '3', '--priority', '7')
    const { options } = json('runs', 'show', first.id)
    expect(options).toMatchObject({ training: { epochs: 2, patience: null, seed: 4, monitor: 'mrr' }, model: { hidden: 8, steps: 2 } })
  })
  it('refuses what is no option, with what was meant', () => {
    told(/epochss.*\n.*Did you mean "epochs"\?/s, 'train', 'ggnn', '--config', config('bad.json', '{"training": {"epochss": 3}}'))
    told(/--config list.yaml: expected a mapping/, 'train', 'ggnn', '--config', config('list.yaml', '- 1\n'))
    told(/--config torn.yaml/, 'train', 'ggnn', '--config', config('torn.yaml', 'training: {'))
    told(/Expected a number/, 'train', 'ggnn', '--epochs', 'many')
    told(/train-ggnn.training: found "fast"/, 'train', 'ggnn', '--config', config('text.yaml', 'training: fast\n'), '--epochs', '3')
    told(
      /cannot be judged without validation/,
      'train',
      'ggnn',
      '--config',
      config('gate.yaml', 'training: { validationSplit: 0 }'),
      '--metric-threshold',
      '0.9',
    )
  })
  it('goes on from the last run that has these options, and says from where', () => {
    const checkpoints = json('runs', 'checkpoints', first.id)
    expect(checkpoints[0].id).toMatch(new RegExp(`^${first.id}@\\d+$`))
    const resumed = run('train', 'ggnn', '--resume', 'latest', '--hidden', '8', '--epochs', '3')
    expect(resumed.status, resumed.stderr).toBe(0)
    expect(resumed.stdout).toContain(`went on from ${checkpoints[0].id}`)
    told(/no train-ggnn run with a checkpoint that has these options/, 'train', 'ggnn', '--resume', 'latest', '--hidden', '99')
  })
  it('shows runs side by side, with data and curves', () => {
    const [newest, oldest] = json('runs', 'list').runs.map(({ id }: { id: string }) => id)
    const compared = json('runs', 'compare', oldest, newest, '--metric', 'training_loss', '--points', '5')
    expect(compared).toMatchObject({ sameData: true, options: { 'training.epochs': [2, 3] } })
    expect(compared.curves.map((curve: { buckets: unknown[] }) => curve.buckets.length > 0)).toEqual([true, true])
    const text = run('runs', 'compare', oldest, newest, '--metric', 'training_loss').stdout
    expect(text).toMatch(/data \(the same\) +foreign-key 1\.0 +foreign-key 1\.0/)
    expect(text).toMatch(/training\.epochs +2 +3/)
    expect(text).toMatch(/training_loss\nstep +[0-9a-f]{8} +[0-9a-f]{8}\n/)
  })
  it('keeps a trace, to be read and saved', () => {
    const shown = run('runs', 'profile', first.id, '--output', 'trace.json').stdout
    expect(shown).toMatch(/^3 steps from step \d+, [\d.]+ ms\nphase +spans/)
    expect(JSON.parse(fs.readFileSync(path.join(folder, 'trace.json'), 'utf8')).traceEvents.length).toBeGreaterThan(9)
    expect(json('runs', 'files', first.id)).toMatchObject([{ name: 'profile.json' }])
    told(/has no file other.json/, 'runs', 'files', first.id, 'other.json')
  })
  it('says that there is no Glean where history is asked for', () => {
    told(/Glean is not configured[\s\S]*GLEAN_BATCH_DIR/, 'train', 'ggnn', '--glean-enable', '--glean-project-id', 'bank')
    told(/without --glean-enable/, 'train', 'ggnn', '--glean-days-back', '3')
  })
})

it('a training that is killed by kill -9 ends as one that was not (short; the long one is the soak kill-training)', () => {
  const env = userEnvironment({ SOAK_KILLS: '2', SOAK_EPOCHS: '5', SOAK_WORKERS: '2', SOAK_KINDS: 'kill', SOAK_SEED: '3' })
  const soak = spawnSync(process.execPath, [path.join(root, 'scripts/soak/main.mjs'), 'kill-training'], {
    env,
    encoding: 'utf8',
    timeout: 170_000,
  })
  expect(soak.status, soak.stdout + soak.stderr).toBe(0)
  expect(soak.stdout).toMatch(/kill: 2 at .* every one ended in that state/)
}, 180_000)
