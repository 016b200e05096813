import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promote } from '../../../src/artifacts/promotion.js'
import { type PruneOptions, prune } from '../../../src/artifacts/prune.js'
import { readBundle, readSamples } from '../../../src/artifacts/release/bundle.js'
import { checkBundle } from '../../../src/artifacts/release/check.js'
import { exportRelease } from '../../../src/artifacts/release/export.js'
import { encodeReleaseManifest, parseReleaseManifest } from '../../../src/artifacts/release/manifest.js'
import { packageBundle } from '../../../src/artifacts/release/package.js'
import { type Release, readRelease, readReleaseProjects, readReleases } from '../../../src/artifacts/release/release-store.js'
import { type Artifact, readArtifacts } from '../../../src/artifacts/store.js'
import { verifyArtifact } from '../../../src/artifacts/verify.js'
import { saveRankingVersion } from '../../../src/datasets/store.js'
import { blobReferrers } from '../../../src/platform.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import { saveCheckpoint } from '../../../src/runs/checkpoint-store.js'
import { createRun } from '../../../src/runs/store.js'
import { sha256 } from '../../../src/util/hash.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy, temporaryBlobs } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const { blobs, folder, remove } = await temporaryBlobs()
const scratch = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-releases-'))
afterAll(async () => {
  await remove()
  await fs.rm(scratch, { recursive: true, force: true })
})
const tools = { database, blobs }
const now = new Date('2026-03-01T10:00:00.000Z')
const small = { int8: { mode: 'off' } } as const
const fileOf = (digest: string) => path.join(folder, digest.slice(0, 2), digest)

let ranker: Artifact
let linker: Artifact
let failed: Artifact
beforeAll(async () => {
  ranker = await publishToy(tools, { version: 'a', projectId: 'p' })
  linker = await publishToy(tools, { ...small, component: 'linker', version: 'a', projectId: 'q', seed: 2 })
  const gates = [{ metric: 'mrr', threshold: 0.95, value: 0.9, passed: false }]
  failed = await publishToy(tools, { ...small, component: 'other', version: 'bad', gates, force: { reason: 'for the test' } })
  await promote(database, 'production', ranker.id, { now })
})

describe('export', () => {
  let release: Release
  beforeAll(async () => {
    release = await exportRelease(tools, {
      components: [{ component: 'ranker' }, { component: 'linker', artifactId: linker.id }],
      version: '1.0',
      actor: 'ada',
      now,
    })
  })

  it('writes one manifest: components, files with relative paths, metrics, where it is published', async () => {
    const stored = await readRelease(database, 'release:1.0')
    expect(stored).toEqual(release)
    const { manifest } = stored
    expect(manifest).toMatchObject({ version: '1.0', created_at: now.toISOString(), publish_uri: '/artifacts/release:1.0/package.tar.gz' })
    expect(manifest.components.map((c) => [c.component, c.artifact_id, c.alias, c.passed, c.metrics])).toEqual([
      ['ranker', ranker.id, 'production', true, { mrr: 0.9 }],
      ['linker', linker.id, null, true, { mrr: 0.9 }],
    ])
    const [first] = manifest.components
    expect(first!.files[0]).toMatchObject({ path: 'ranker/manifest.json', sha256: ranker.manifestDigest })
    expect(first!.files.slice(1)).toEqual(ranker.manifest.files.map((f) => ({ ...f, path: `ranker/${f.path}` })))
    expect(sha256(await blobs.get(stored.manifestDigest))).toBe(encodeReleaseManifest(manifest).digest)
    expect(await readReleaseProjects(database, release.id)).toEqual(expect.arrayContaining(['p', 'q']))
    expect(() => parseReleaseManifest({ ...manifest, components: [] })).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  })

  it('tells every component that is missing or failed, at once, and writes nothing', async () => {
    const attempt = exportRelease(tools, {
      components: [{ component: 'nothing' }, { component: 'linker' }, { component: 'other', artifactId: failed.id }],
      now,
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/nothing.*production.*linker.*production.*other.*failed a gate/),
    })
    const wrong = exportRelease(tools, { components: [{ component: 'ranker', artifactId: linker.id }], now })
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('linker@a') })
    await expect(exportRelease(tools, { components: [], now })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    const twice = exportRelease(tools, { components: [{ component: 'ranker' }, { component: 'ranker' }], now })
    await expect(twice).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('twice') })
    expect(await readReleases(database)).toHaveLength(1)
  })

  it('takes a failed one only by force, and says so in the manifest', async () => {
    const components = [{ component: 'other', artifactId: failed.id }]
    await expect(exportRelease(tools, { components, force: { reason: ' ' }, now })).rejects.toMatchObject({ code: 'GATE_FAILED' })
    const forced = await exportRelease(tools, { components, force: { reason: 'a demonstration' }, version: 'forced', now })
    expect(forced.manifest.components[0]).toMatchObject({ passed: false, forced: 'a demonstration' })
  })

  it('refuses a version that exists, names that are none, and releases never change', async () => {
    const components = [{ component: 'ranker' }]
    await expect(exportRelease(tools, { components, version: '1.0', now })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(exportRelease(tools, { components, version: '../x', now })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(database.query(`UPDATE artifact_release SET version = 'x'`)).rejects.toThrow(/immutable/)
    await expect(database.query(`DELETE FROM artifact WHERE id = $1`, [linker.id])).rejects.toThrow(/foreign key/)
  })

  it('does not take what is damaged, and names the file', async () => {
    const broken = await publishToy(tools, { ...small, component: 'broken', version: '1', seed: 9 })
    const file = fileOf(broken.manifest.files.find((f) => f.path === 'ggnn.onnx')!.sha256)
    await fs.writeFile(file, 'something else')
    const attempt = exportRelease(tools, { components: [{ component: 'broken', artifactId: broken.id }], now })
    await expect(attempt).rejects.toMatchObject({ code: 'CORRUPT', message: expect.stringContaining('ggnn.onnx') })
  })

  it('is listed newest first, by component and pages', async () => {
    await exportRelease(tools, { components: [{ component: 'ranker' }], version: '2.0', now: new Date('2026-04-01') })
    const ids = async (filter: Parameters<typeof readReleases>[1]) => (await readReleases(database, filter)).map((r) => r.id)
    expect(await ids({})).toEqual(['release:2.0', 'release:forced', 'release:1.0'])
    expect(await ids({ component: 'linker' })).toEqual(['release:1.0'])
    expect(await ids({ first: 1, after: 'release:2.0' })).toEqual(['release:forced'])
  })

  it('reads the samples of each of its models', async () => {
    const samples = await readSamples(database, blobs, release.id)
    expect(samples.map((s) => s.folder)).toEqual(['ranker', 'linker'])
    expect(samples[0]!.samples.graphs.map((g) => g.path)).toEqual(ranker.manifest.graphs.map((g) => g.path))
    expect((await readSamples(database, blobs, linker.id)).map((s) => s.folder)).toEqual([''])
  })
})

describe('a package', () => {
  const unpacked = async (id: string) => {
    const { digest, size, name } = await packageBundle(database, blobs, id, now)
    const bytes = await blobs.get(digest)
    expect(bytes.length).toBe(size)
    const file = path.join(scratch, name)
    await fs.writeFile(file, bytes)
    return { file, digest, bytes }
  }

  it('holds every file, and has the same bytes when it is made again', async () => {
    const { file, digest } = await unpacked('release:1.0')
    const { files } = await readBundle(database, 'release:1.0')
    const found = await checkBundle(file)
    expect(found.problems).toEqual([])
    expect(found.artifactId).toBe('release:1.0')
    expect(found.files).toHaveLength(files.length - 1)
    expect(found.manifestDigest).toBe(files[0]!.sha256)
    // as if it had been collected, on another day
    await blobs.delete(digest)
    const again = await packageBundle(database, blobs, 'release:1.0', new Date())
    expect(again.digest).toBe(digest)
    expect(await blobs.has(digest)).toBe(true)
    expect((await checkBundle((await unpacked(linker.id)).file)).artifactId).toBe(linker.id)
  })

  it('a flipped byte is found in the package and in the folder, and its file is named', async () => {
    const { bytes } = await unpacked(ranker.id)
    const target = ranker.manifest.files.find((f) => f.path === 'ggnn.int8.onnx')!
    const content = await blobs.get(target.sha256)
    const at = Buffer.from(bytes).indexOf(Buffer.from(content.subarray(0, 600)))
    expect(at).toBeGreaterThan(0)
    const spoilt = Uint8Array.from(bytes)
    spoilt[at + 300]! ^= 1
    const file = path.join(scratch, 'spoilt.tar.gz')
    await fs.writeFile(file, spoilt)
    const { problems, files } = await checkBundle(file)
    expect(problems.map((p) => [p.code, p.where])).toEqual([['file-changed', `${ranker.id}: ggnn.int8.onnx`]])
    expect(files.filter((f) => !f.isIntact).map((f) => f.path)).toEqual(['ggnn.int8.onnx'])

    const place = path.join(scratch, 'folder')
    for (const each of (await readBundle(database, ranker.id)).files) {
      await fs.mkdir(path.dirname(path.join(place, each.path)), { recursive: true })
      await fs.writeFile(path.join(place, each.path), await blobs.get(each.sha256))
    }
    expect((await checkBundle(place)).problems).toEqual([])
    await fs.rm(path.join(place, 'metrics.json'))
    await fs.appendFile(path.join(place, 'parity.json'), ' ')
    await fs.writeFile(path.join(place, 'notes.txt'), 'mine')
    expect((await checkBundle(place)).problems.map((p) => [p.severity, p.code, p.where])).toEqual([
      ['error', 'file-missing', `${ranker.id}: metrics.json`],
      ['error', 'file-size', `${ranker.id}: parity.json`],
      ['warning', 'file-unknown', `${ranker.id}: notes.txt`],
    ])
    await fs.writeFile(path.join(place, 'manifest.json'), '{}')
    await expect(checkBundle(place)).rejects.toMatchObject({ code: 'CORRUPT' })
    await expect(checkBundle(folder)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('verify re-hashes a release too, and names the component and the file', async () => {
    expect((await verifyArtifact(database, blobs, 'release:1.0')).problems).toEqual([])
    const target = linker.manifest.files.find((f) => f.path === 'ggnn.sparse.onnx')!
    const file = fileOf(target.sha256)
    const bytes = await fs.readFile(file)
    bytes[50]! ^= 1
    await fs.writeFile(file, bytes)
    const { problems } = await verifyArtifact(database, blobs, 'release:1.0')
    expect(problems.map((p) => p.where)).toEqual(['release:1.0: linker/ggnn.sparse.onnx'])
    bytes[50]! ^= 1
    await fs.writeFile(file, bytes)
  })
})

describe('prune', () => {
  const day = 24 * 3_600_000
  const late = new Date(Date.now() + 100 * day)
  const pruning = (options: Partial<PruneOptions> = {}) =>
    prune({ ...tools, referrers: blobReferrers(database) }, { keep: 1, now: late, ...options })
  const old: Artifact[] = []
  beforeAll(async () => {
    for (const [i, version] of ['o1', 'o2', 'o3', 'o4', 'o5'].entries())
      old.push(await publishToy(tools, { ...small, component: 'aged', version, seed: 20 + i, now: new Date(Date.now() + i * 1000) }))
  })

  it('takes what nobody needs; never what is or was promoted, is released, is new, or is among the newest', async () => {
    const [o1, o2, o3, o4, o5] = old as [Artifact, Artifact, Artifact, Artifact, Artifact]
    await promote(database, 'production', o1.id, { now })
    await promote(database, 'production', o2.id, { now })
    await exportRelease(tools, { components: [{ component: 'aged', artifactId: o3.id }], version: 'aged', now })
    expect((await pruning({ now: new Date(), dryRun: true })).artifacts).toEqual([])
    expect((await pruning({ keep: 5, dryRun: true })).artifacts).not.toContain(o4.id)
    // `broken@1` of another component is its newest, and latest
    expect((await pruning({ dryRun: true })).artifacts).toEqual([o4.id])
    expect(await readArtifacts(database, { component: 'aged' })).toHaveLength(5)

    const onnx = o4.manifest.files.find((f) => f.path === 'ggnn.onnx')!.sha256
    const done = await pruning()
    expect(done.artifacts).toEqual([o4.id])
    expect(done.blobs.deleted).toBeGreaterThan(0)
    expect(await blobs.has(onnx)).toBe(false)
    for (const kept of [o1, o2, o3, o5]) expect((await verifyArtifact(database, blobs, kept.id)).problems).toEqual([])
    expect((await verifyArtifact(database, blobs, 'release:1.0')).problems).toEqual([])
    const changes = (await readGraphChanges(database, 0, 10_000)).map((c) => c.change)
    expect(changes).toContainEqual({ op: 'delete-node', id: `artifact:${o4.id}`, kind: 'Artifact' })
    expect((await pruning()).artifacts).toEqual([])
  })

  it('collects what nothing refers to once its grace period is over, and nothing else', async () => {
    const orphan = await blobs.put(new TextEncoder().encode('an upload that was never finished'))
    const run = await createRun(database, { kind: 'train-ggnn', options: {} })
    const checkpoint = await blobs.put(new TextEncoder().encode('a checkpoint'))
    await saveCheckpoint(database, { runId: run.id, attempt: 0, step: 1, blob: checkpoint, bytes: 12, best: false }, 5)
    await database.query(`INSERT INTO project (id, name) VALUES ('p', 'p') ON CONFLICT DO NOTHING`)
    await saveRankingVersion(database, blobs, { dataset: { projectId: 'p', name: 'toy' }, lists: toyLists(5) }, new Date())

    expect((await pruning({ now: new Date() })).blobs.deleted).toBe(0)
    expect((await pruning({ dryRun: true })).blobs).toMatchObject({ deleted: expect.any(Number) })
    expect(await blobs.has(orphan)).toBe(true)
    const { rows } = await database.query<{ blob: string }>(`SELECT blob FROM dataset_chunk`)
    const { blobs: done } = await pruning()
    expect(done.deleted).toBeGreaterThan(0)
    expect(await blobs.has(orphan)).toBe(false)
    for (const digest of [checkpoint, ...rows.map((row) => row.blob)]) expect(await blobs.has(digest)).toBe(true)
  })

  it('knows every table that names blobs: a column of digests that no referrer asks for would lose data', async () => {
    const { rows } = await database.query<{ place: string }>(
      `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name ~ 'blob|digest|sha256' ORDER BY 1`,
    )
    expect(rows.map((row) => row.place)).toEqual(expect.arrayContaining(['artifact_file.digest', 'dataset_chunk.blob']))
    const asked: string[] = []
    const watched = {
      async query(text: string) {
        asked.push(text)
        return { rows: [], rowCount: 0 }
      },
    }
    for (const referrer of blobReferrers(watched as never)) await referrer(['a'])
    const unasked = rows
      .map((row) => row.place)
      .filter((place) => {
        const [table, column] = place.split('.') as [string, string]
        return !keepsNoBlob.has(place) && !asked.some((text) => new RegExp(`\\b${column}\\b[^;]*\\bfrom ${table}\\b`, 'i').test(text))
      })
    expect(unasked, 'add a referrer to blobReferrers in platform.ts, or the column to keepsNoBlob here').toEqual([])
  })
})

/** Columns that name no blob which must be kept. */
const keepsNoBlob = new Set([
  // made again when it is asked for
  'artifact_package.digest',
  // hashes of other things
  'api_key.digest',
  'parsed_part.digest',
  'parsed_text.digest',
  'snapshot.facts_digest',
  'snapshot.text_digest',
])
