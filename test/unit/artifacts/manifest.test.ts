import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { artifactName, manifestJsonSchema, manifestSchema, parseManifest, versionAt } from '../../../src/artifacts/manifest.js'

const digest = 'a'.repeat(64)
const manifest = {
  format: 1,
  component: 'ranker',
  version: '1',
  created_at: '2026-01-01T00:00:00.000Z',
  model: { name: 'ggnn', options: {} },
  files: [{ path: 'ggnn.onnx', size: 3, sha256: digest }],
  graphs: [{ path: 'ggnn.onnx', layout: 'dense', precision: 'fp32', inputs: [], outputs: [] }],
  opset: 18,
  producer: { espalier: '0.1.0' },
  run_id: null,
  dataset: null,
  options_hash: digest,
  feature_spec_hash: null,
  metrics: { mrr: 0.5 },
  gates: [],
  parity: {
    precision: 'fp32',
    lists: 1,
    candidates: 2,
    max_abs_diff: 0,
    tolerance: 1e-5,
    kendall_tau: 1,
    top1_agreement: 1,
    grid: [],
    passed: true,
    onnxruntime: '1.30.0',
    cpu: 'x',
    cpu_flags: ['avx2'],
  },
  passed: true,
  forced: null,
}

describe('manifest', () => {
  it('refuses paths that leave their folder, and names that are no names', () => {
    const withPath = (p: string) => manifestSchema.safeParse({ ...manifest, files: [{ ...manifest.files[0], path: p }] }).success
    for (const good of ['a', 'a/b.json', 'a/..b', '.hidden', 'a b']) expect(withPath(good), good).toBe(true)
    for (const bad of ['', '/a', '../a', 'a/../b', 'a/..', '.', './a', 'a\\b', 'a\0'])
      expect(withPath(bad), JSON.stringify(bad)).toBe(false)
    for (const good of ['ranker', '1.2.3', '20260101T000000000Z']) expect(artifactName.safeParse(good).success).toBe(true)
    for (const bad of ['', '-a', 'a/b', 'a@b', '..', 'a'.repeat(101)]) expect(artifactName.safeParse(bad).success, bad).toBe(false)
  })

  it('a manifest of another shape is CORRUPT and says where', () => {
    expect(parseManifest(manifest)).toEqual(manifest)
    expect(() => parseManifest({ ...manifest, opset: 17 })).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining('opset') }),
    )
    expect(() => parseManifest({ ...manifest, more: 1 })).toThrow(expect.objectContaining({ message: expect.stringContaining('more') }))
  })

  it('versions sort as their moments do', () => {
    const moments = [0, 1, 999, 1000, 61_000, 1e12].map((ms) => new Date(ms))
    expect(moments.map(versionAt)).toEqual(moments.map(versionAt).sort())
    expect(versionAt(new Date('2026-01-31T23:59:59.123Z'))).toBe('20260131T235959123Z')
  })

  it('the committed JSON Schema is the one of the code', () => {
    const file = path.resolve(import.meta.dirname, '../../../schema/manifest.schema.json')
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual(manifestJsonSchema())
  })
})
