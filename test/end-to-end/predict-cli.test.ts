import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, root, startLive, temporaryFolder, userEnvironment } from '../support/espalier.js'

/** Chains whose marked node is asked for. */
const chains = Array.from({ length: 40 }, (_, i) => ({
  id: `c${i}`,
  node_features: Array.from({ length: 4 }, (_, node) => [node === i % 4 ? 1 : 0]),
  edge_index: [0, 1, 2].map((node) => [node, node + 1]),
  target: i % 4,
}))

describe('espalier predict graphs and espalier evaluate', () => {
  let live: LiveEspalier
  let folder: string
  const run = (...args: string[]) => espalier([...args, '--url', live.url], { cwd: folder })
  const answer = (...args: string[]) => {
    const { status, stdout, stderr } = run(...args)
    expect(status, stdout + stderr).toBe(0)
    return stdout
  }
  const refusal = (...args: string[]) => {
    const { status, stdout, stderr } = run(...args)
    expect(status, stdout).not.toBe(0)
    return stderr
  }
  const file = (name: string, rows: readonly object[]) => {
    fs.writeFileSync(path.join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'))
    return name
  }
  let trained: { result: { artifactId: string } }

  beforeAll(async () => {
    folder = temporaryFolder()
    live = await startLive(['serve'])
    answer('dataset', 'import', file('chains.jsonl', chains), '--project', 'toys', '--kind', 'node')
    answer('dataset', 'split', 'chains', '--name', 'thirds', '--ratios', '0.6,0.2,0.2')
    const train = ['train', 'ggnn', '--readout', 'node', '--dataset', 'chains', '--split', 'thirds', '--epochs', '30', '--json']
    trained = JSON.parse(answer(...train))
    answer('artifacts', 'promote', trained.result.artifactId)
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('asks the model in production about the graphs of a file, whether it tells the answers or not', () => {
    const asked = chains.map(({ target: _, ...chain }) => chain)
    const { predicted, expected } = JSON.parse(
      answer('predict', 'graphs', file('asked.jsonl', asked), '--component', 'node-selector', '--json'),
    )
    expect(expected).toBeNull()
    expect(predicted.map((it: { answer: number }) => it.answer)).toEqual(chains.map(({ target }) => target))
    expect(predicted[0]).toMatchObject({ artifactId: trained.result.artifactId, outputs: [[{ value: 0 }, {}, {}, {}]] })
    expect(answer('predict', 'graphs', 'chains.jsonl', '--component', 'node-selector')).toContain('40 of 40 are as the file says')
  })

  it('says which line or which component cannot be used', () => {
    const wide = file('wide.jsonl', [{ ...chains[0], node_features: [[1, 2]], edge_index: [], target: 0 }])
    expect(refusal('predict', 'graphs', wide, '--component', 'node-selector')).toContain('1 features per node')
    const torn = file('torn.jsonl', [{ ...chains[0], edge_index: [[0, 9]] }])
    expect(refusal('predict', 'graphs', torn, '--component', 'node-selector')).toMatch(/torn\.jsonl:1:edge_index/)
    expect(refusal('predict', 'graphs', 'chains.jsonl', '--component', 'nobody')).toContain('names no artifact')
    expect(refusal('predict', 'graphs', 'nowhere.jsonl', '--component', 'node-selector')).toContain('there is no file')
  })

  it('judges the artifact on the test of the split that it was trained by', () => {
    const told = answer('evaluate', '--readout', 'node', '--dataset', 'chains', '--split', 'thirds', '--artifact', 'node-selector')
    expect(told).toContain(`${trained.result.artifactId}; split by the split thirds: judged on 8 examples of its part test`)
    expect(told).toMatch(/ggnn-node +8 +1\.000/)
    expect(answer('evaluate', '--readout', 'node', '--dataset', 'chains', '--artifact', 'node-selector')).toContain('may have learned')
  })

  it('lists runs of a kind, in a state', () => {
    const listed = (...flags: string[]) =>
      JSON.parse(answer('runs', 'list', '--json', ...flags)).runs.map((it: { kind: string }) => it.kind)
    expect(listed('--kind', 'train-ggnn', '--state', 'completed', '--project', 'toys')).toEqual(['TRAIN_GGNN'])
    expect(listed('--kind', 'train-ggnn', '--state', 'failed', 'cancelled')).toEqual([])
    expect(refusal('runs', 'list', '--kind', 'training')).toContain('Allowed choices are')
  })

  it('ends in silence when nobody reads its answer to the end', () => {
    const cli = path.join(root, 'dist/cli/main.js')
    const shell = `"${process.execPath}" "${cli}" artifacts parity-samples ${trained.result.artifactId} --url ${live.url} | head -c 10`
    const { stdout, stderr } = spawnSync('sh', ['-c', shell], { encoding: 'utf8', env: userEnvironment(), cwd: folder })
    expect(stdout).toHaveLength(10)
    expect(stderr).not.toContain('EPIPE')
  })
})
