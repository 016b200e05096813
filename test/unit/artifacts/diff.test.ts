import { describe, expect, it } from 'vitest'
import { diffManifests } from '../../../src/artifacts/diff.js'
import type { Manifest } from '../../../src/artifacts/manifest.js'

const manifest = (over: Partial<Manifest>) =>
  ({
    component: 'ranker',
    version: 'a',
    model: { name: 'ggnn', options: { hidden: 8, training: { seed: 1 }, kinds: ['x'] } },
    files: [
      { path: 'ggnn.onnx', size: 10, sha256: '1'.repeat(64) },
      { path: 'same.json', size: 3, sha256: '2'.repeat(64) },
    ],
    producer: { node: '20' },
    opset: 18,
    run_id: 'r1',
    dataset: { version_id: 'd1', hash: 'h1' },
    feature_spec_hash: null,
    metrics: { mrr: 0.5, only_before: 1 },
    ...over,
  }) as Manifest

describe('diffManifests', () => {
  it('an artifact does not differ from itself, and shows its metrics anyway', () => {
    const { metrics, ...rest } = diffManifests(manifest({}), manifest({}))
    expect(rest).toEqual({ before: 'ranker@a', after: 'ranker@a', options: [], data: [], files: [] })
    expect(metrics.map((m) => [m.name, m.change])).toEqual([
      ['mrr', 0],
      ['only_before', 0],
    ])
  })

  it('tells what the runs were asked for besides, where both are known', () => {
    const runs = {
      before: { model: { hidden: 4 }, training: { learningRate: 0.1, epochs: 3 }, split: 'a' },
      after: { model: { hidden: 5 }, training: { learningRate: 0.01, epochs: 3 } },
    }
    expect(diffManifests(manifest({}), manifest({ version: 'b' }), runs).options).toEqual([
      { path: 'split', before: 'a', after: null },
      { path: 'training.learningRate', before: 0.1, after: 0.01 },
    ])
    expect(diffManifests(manifest({}), manifest({ version: 'b' }), { ...runs, after: null }).options).toEqual([])
  })

  it('names every metric, option, datum and file that differs', () => {
    const after = manifest({
      version: 'b',
      metrics: { mrr: 0.75, constructor: 1 },
      model: { name: 'ggnn', options: { hidden: 16, training: { seed: 1, epochs: 3 }, kinds: ['x', 'y'] } },
      dataset: { version_id: 'd2', hash: 'h1' },
      files: [
        { path: 'ggnn.onnx', size: 12, sha256: '3'.repeat(64) },
        { path: 'new.onnx', size: 4, sha256: '4'.repeat(64) },
      ],
    })
    const found = diffManifests(manifest({}), after)
    expect(found.metrics).toEqual([
      { name: 'constructor', before: null, after: 1, change: null },
      { name: 'mrr', before: 0.5, after: 0.75, change: 0.25 },
      { name: 'only_before', before: 1, after: null, change: null },
    ])
    expect(found.options).toEqual([
      { path: 'hidden', before: 8, after: 16 },
      { path: 'kinds', before: ['x'], after: ['x', 'y'] },
      { path: 'training.epochs', before: null, after: 3 },
    ])
    expect(found.data).toEqual([{ path: 'dataset.version_id', before: 'd1', after: 'd2' }])
    expect(found.files).toEqual([
      { path: 'ggnn.onnx', kind: 'changed', before: 10, after: 12 },
      { path: 'new.onnx', kind: 'added', before: null, after: 4 },
      { path: 'same.json', kind: 'removed', before: 3, after: null },
    ])
  })
})
