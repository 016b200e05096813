import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createKey } from '../../../src/access/key-store.js'
import { promote } from '../../../src/artifacts/promotion.js'
import { checkBundle } from '../../../src/artifacts/release/check.js'
import type { Artifact } from '../../../src/artifacts/store.js'
import { artifacts as registerArtifacts } from '../../../src/cli/commands/artifacts.js'
import { sha256 } from '../../../src/util/hash.js'
import { publishToy } from '../../support/published.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let before: Artifact
let after: Artifact
const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-release-api-'))
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  before = await publishToy(platform, { version: 'a', projectId: 'shop', metrics: { mrr: 0.8 } })
  after = await publishToy(platform, { version: 'b', projectId: 'shop', seed: 2, metrics: { mrr: 0.9 } })
  await promote(platform.database, 'production', after.id, { now: new Date() })
})
afterAll(async () => {
  await server?.close()
  await fs.rm(folder, { recursive: true, force: true })
})

const origin = () => new URL(server.url).origin
const get = (place: string, headers: Record<string, string> = {}, method = 'GET') => fetch(origin() + place, { method, headers })

/** The command of the shell, in this process. */
async function espalier(...args: string[]): Promise<{ stdout: string; status: number }> {
  const out: string[] = []
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out.push(String(text))
      return true
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true),
  ]
  const program = new Command('espalier').option('--json').option('--home <folder>').option('--url <url>').exitOverride()
  registerArtifacts(program)
  process.exitCode = 0
  try {
    await program.parseAsync(['--url', server.url, '--home', folder, ...args], { from: 'user' })
    return { stdout: out.join(''), status: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = 0
    for (const spy of spies) spy.mockRestore()
  }
}
const json = async (...args: string[]) => {
  const { stdout, status } = await espalier('--json', ...args)
  return { answer: JSON.parse(stdout), status }
}

describe('by GraphQL', () => {
  test('a release is exported, read, listed; what is missing is said', async () => {
    const { exportRelease } = await server.ask(`mutation { exportRelease(components: [{ component: "ranker" }], version: "1") {
      id version publishUri manifest createdBy components { component artifactId alias metrics passed artifact { version } } } }`)
    expect(exportRelease).toMatchObject({
      id: 'release:1',
      createdBy: 'local',
      publishUri: '/artifacts/release:1/package.tar.gz',
      components: [{ component: 'ranker', artifactId: after.id, alias: 'PRODUCTION', passed: true, artifact: { version: 'b' } }],
    })
    expect(exportRelease.manifest.components[0].files.length).toBeGreaterThan(5)
    const { releases, release } = await server.ask(
      '{ releases(first: 1, component: "ranker") { totalCount edges { node { id } } } release(id: "release:1") { manifestDigest } }',
    )
    expect(releases).toEqual({ totalCount: 1, edges: [{ node: { id: 'release:1' } }] })
    expect(release.manifestDigest).toBe(sha256(await (await get('/artifacts/release:1/files/release.json')).text()))
    const refused = await server.post('mutation { exportRelease(components: [{ component: "nothing" }]) { id } }')
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND', problems: [{ code: 'not-found', where: 'nothing' }] })
    expect((await server.post('{ release(id: "release:none") { id } }')).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    const forced = await server.post('mutation { exportRelease(components: [{ component: "ranker" }], force: true) { id } }')
    expect(forced.errors?.[0]?.message).toContain('needs a reason')
  })

  test('two artifacts are told apart', async () => {
    const { artifactDiff } = await server.ask(`{ artifactDiff(before: "${before.id}", after: "${after.id}") {
      before after metrics { name before after change } options { path } files { path kind before after } } }`)
    expect(artifactDiff).toMatchObject({ before: before.id, after: after.id, options: [] })
    expect(artifactDiff.metrics).toEqual([{ name: 'mrr', before: 0.8, after: 0.9, change: expect.closeTo(0.1) }])
    expect(artifactDiff.files).toContainEqual({ path: 'ggnn.onnx', kind: 'CHANGED', before: expect.any(Number), after: expect.any(Number) })
    expect(artifactDiff.files.map((f: { path: string }) => f.path)).not.toContain('feature-spec.json')
  })

  test('compare-and-set may expect that there is nothing yet', async () => {
    const move = `mutation ($expected: ID) { promote(artifactId: "${before.id}", alias: STAGING, expected: $expected) { artifact { id } } }`
    expect((await server.post(move, { expected: after.id })).errors?.[0]?.extensions.code).toBe('CONFLICT')
    expect((await server.ask(move, { expected: null })).promote.artifact.id).toBe(before.id)
    expect((await server.post(move.replace(before.id, after.id), { expected: null })).errors?.[0]?.extensions.code).toBe('CONFLICT')
  })

  test('samples for other runtimes, verification of a release, and what pruning would take', async () => {
    const { paritySamples, verifyArtifact } = await server.ask(
      '{ paritySamples(id: "release:1") verifyArtifact(id: "release:1") { files { path isIntact } problems { where } } }',
    )
    expect(paritySamples).toMatchObject([{ folder: 'ranker', samples: { graphs: [{ path: 'ggnn.onnx', tolerance: 1e-5 }, {}, {}, {}] } }])
    expect(verifyArtifact.problems).toEqual([])
    const { pruneArtifacts } = await server.ask('mutation { pruneArtifacts(keep: 0, artifactDays: 0, dryRun: true) { artifacts dryRun } }')
    expect(pruneArtifacts).toEqual({ artifacts: [], dryRun: true })
    expect((await server.post('mutation { pruneArtifacts(keep: -1) { blobs } }')).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  })

  test('int8 answers where it is asked for', async () => {
    const lists = '[{ queryId: "q", candidates: [{ nodeFeatures: [[1, 0, 0.1, 0.2]], edges: [] }] }]'
    const { exact, rounded } = await server.ask(`{
      exact: rank(lists: ${lists}) { precision candidates { score } } rounded: rank(lists: ${lists}, precision: INT8) { precision candidates { score } } }`)
    expect([exact.precision ?? exact[0].precision, rounded[0].precision]).toEqual(['FP32', 'INT8'])
    expect(rounded[0].candidates[0].score).not.toBe(exact[0].candidates[0].score)
    expect(rounded[0].candidates[0].score).toBeCloseTo(exact[0].candidates[0].score, 1)
  })
})

describe('downloads', () => {
  const onnx = () => after.manifest.files.find((f) => f.path === 'ggnn.onnx')!
  const place = () => `/artifacts/${encodeURIComponent(after.id)}/files/ggnn.onnx`

  test('a file whole, in ranges, unchanged, and its head alone', async () => {
    const whole = await get(place())
    const bytes = new Uint8Array(await whole.arrayBuffer())
    expect(sha256(bytes)).toBe(onnx().sha256)
    expect(whole.headers.get('etag')).toBe(`"${onnx().sha256}"`)
    expect(whole.headers.get('accept-ranges')).toBe('bytes')

    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += 4000) {
      const part = await get(place(), { range: `bytes=${at}-${at + 3999}` })
      expect(part.status).toBe(206)
      expect(part.headers.get('content-range')).toBe(`bytes ${at}-${Math.min(at + 4000, bytes.length) - 1}/${bytes.length}`)
      pieces.push(new Uint8Array(await part.arrayBuffer()))
    }
    expect(sha256(Buffer.concat(pieces))).toBe(onnx().sha256)
    const tail = await get(place(), { range: 'bytes=-10', 'if-range': `"${onnx().sha256}"` })
    expect(new Uint8Array(await tail.arrayBuffer())).toEqual(bytes.slice(-10))
    expect((await get(place(), { range: 'bytes=0-9', 'if-range': '"another"' })).status).toBe(200)
    const beyond = await get(place(), { range: `bytes=${bytes.length}-` })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`])
    expect((await get(place(), { 'if-none-match': `"x", W/"${onnx().sha256}"` })).status).toBe(304)
    const head = await get(place(), {}, 'HEAD')
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(bytes.length), ''])
  })

  test('what is not there, or not of the artifact, is NOT_FOUND', async () => {
    for (const path of [
      '/artifacts/none@1/files/ggnn.onnx',
      `/artifacts/${after.id}/files/none.onnx`,
      `/artifacts/${after.id}/files/..%2f..%2fpackage.json`,
      '/artifacts/release:none/package.tar.gz',
    ]) {
      const answer = await get(path)
      expect(
        [answer.status, ((await answer.json()) as { errors: { extensions: { code: string } }[] }).errors[0]!.extensions.code],
        path,
      ).toEqual([404, 'NOT_FOUND'])
    }
  })

  test('are only for those who may read the project', async () => {
    const guarded = await testPlatform()
    const mine = await publishToy(guarded, { version: 'a', projectId: 'bank', int8: { mode: 'off' } })
    const keyOf = async (name: string, projects: string[] | null, scopes = ['catalog:read']) =>
      (await createKey(guarded.database, { name, scopes: scopes as never, projects, createdBy: 'test' })).token
    const keys = {
      mine: await keyOf('mine', ['bank']),
      other: await keyOf('other', ['shop']),
      blind: await keyOf('blind', null, ['training_data:read']),
    }
    const live = await liveServer(guarded)
    try {
      const status = async (path: string, key?: string) =>
        (await fetch(new URL(path, live.url), { headers: key ? { 'x-api-key': key } : {} })).status
      for (const path of [`/artifacts/${mine.id}/files/ggnn.onnx`, `/artifacts/${mine.id}/package.tar.gz`]) {
        expect(await status(path, keys.mine)).toBe(200)
        expect(await status(path, keys.other)).toBe(403)
        expect(await status(path, keys.blind)).toBe(403)
        expect(await status(path)).toBe(401)
      }
    } finally {
      await live.close()
    }
  })
})

describe('by the shell', () => {
  const at = (name: string) => path.join(folder, name)

  test('list, show and diff', async () => {
    const { answer } = await json('artifacts', 'list', '--component', 'ranker')
    expect(answer.map((a: Artifact) => a.id)).toEqual([after.id, before.id])
    expect((await espalier('artifacts', 'list')).stdout).toContain('production')
    expect((await json('artifacts', 'show', after.id)).answer.manifest.version).toBe('b')
    const { stdout } = await espalier('artifacts', 'diff', before.id, after.id)
    expect(stdout).toMatch(/mrr +0\.8 +0\.9/)
    expect(stdout).toMatch(/ggnn\.onnx +changed/)
  })

  test('export, releases, package, bundle, verify: here and on the server', async () => {
    const { answer: release } = await json('artifacts', 'export', 'ranker', '--release', '2', '--publish-uri', 's3://models/2.tar.gz')
    expect(release).toMatchObject({ id: 'release:2', publishUri: 's3://models/2.tar.gz' })
    expect((await json('artifacts', 'releases')).answer[0].id).toBe('release:2')
    expect((await json('artifacts', 'show', 'release:2')).answer.manifest.publish_uri).toBe('s3://models/2.tar.gz')
    const { answer: first } = await json('artifacts', 'package', 'release:2', '--output', at('one.tar.gz'))
    const { answer: second } = await json('artifacts', 'package', 'release:2', '--output', at('two.tar.gz'))
    expect(second.sha256).toBe(first.sha256)
    expect(sha256(await fs.readFile(at('one.tar.gz')))).toBe(first.sha256)
    await json('artifacts', 'bundle', 'release:2', '--output', at('folder'))
    expect((await checkBundle(at('folder'))).problems).toEqual([])
    await expect(espalier('artifacts', 'bundle', 'release:2', '--output', at('folder'))).rejects.toMatchObject({ code: 'CONFLICT' })
    for (const what of ['release:2', after.id, at('one.tar.gz'), at('folder')])
      expect(await json('artifacts', 'verify', what), what).toMatchObject({ status: 0, answer: { problems: [] } })
    await fs.appendFile(at('folder/ranker/parity.json'), ' ')
    const spoilt = await espalier('artifacts', 'verify', at('folder'))
    expect(spoilt).toMatchObject({ status: 1, stdout: expect.stringMatching(/ranker\/parity\.json +CORRUPT/) })
    // nothing half-made is left beside what was asked for
    expect((await fs.readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('parity-samples, promote by compare-and-set, rollback, prune', async () => {
    const { answer } = await json('artifacts', 'parity-samples', after.id, '--output', at('samples.json'))
    expect(JSON.parse(await fs.readFile(at('samples.json'), 'utf8'))[0].samples.graphs).toHaveLength(4)
    expect(answer.bytes).toBe((await fs.stat(at('samples.json'))).size)
    await expect(espalier('artifacts', 'promote', before.id, '--expected', 'none')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await espalier('artifacts', 'promote', before.id, '--expected', after.id)).stdout).toBe(`production names ${before.id}\n`)
    expect((await espalier('artifacts', 'rollback', 'ranker', '--reason', 'worse')).stdout).toBe(`production names ${after.id} again\n`)
    expect((await espalier('artifacts', 'prune', '--keep', '0', '--days', '0', '--dry-run')).stdout).toMatch(
      /^0 artifacts and \d+ blobs .* would go\n$/,
    )
  })
})
