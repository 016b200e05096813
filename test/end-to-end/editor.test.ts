import fs from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type LiveEspalier, startLive } from '../support/espalier.js'
import { describeIf } from '../support/need.js'

const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => file && fs.existsSync(file))
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describeIf(executablePath, 'no Chromium is installed', "the editor in a person's browser", () => {
  let live: LiveEspalier
  let browser: Browser
  const outside: string[] = []
  const failures: string[] = []

  /** The editor with `query` in it; every request that leaves the server's own address is refused and noted. */
  async function open(query: string): Promise<Page> {
    const page = await browser.newPage()
    const { origin } = new URL(live.url)
    await page.route('**/*', (route) => {
      const url = route.request().url()
      if (url.startsWith(origin) || /^(data|blob):/.test(url)) return route.continue()
      outside.push(url)
      return route.abort()
    })
    page.on('pageerror', (error) => failures.push(error.message))
    await page.goto(live.url)
    const editor = page.locator('.graphiql-editor').first()
    await editor.locator('.view-lines').waitFor({ timeout: 60_000 })
    // The editor's workers load after its first paint, and replace what was typed before: type until it stands.
    await expect
      .poll(
        async () => {
          await editor.click()
          await page.keyboard.press('Control+A')
          await page.keyboard.insertText(query)
          // brackets that the editor closed by itself
          await page.keyboard.press('Control+Shift+End')
          await page.keyboard.press('Delete')
          return editor.locator('.view-lines').textContent()
        },
        { timeout: 30_000, interval: 500 },
      )
      .toMatch(new RegExp(query.slice(0, 12).replaceAll(/[^a-z]+/g, '.*')))
    await page.locator('.graphiql-execute-button').click()
    return page
  }

  const answered = (page: Page, pattern: RegExp) =>
    expect.poll(() => page.locator('.result-window').textContent(), { timeout: 30_000, interval: 200 }).toMatch(pattern)

  beforeAll(async () => {
    live = await startLive(['serve'])
    browser = await chromium.launch({ executablePath: executablePath!, args: quiet })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await live?.stop()
  })

  it('answers a query', async () => {
    const page = await open('{ cypher(query: "RETURN 41 + 1 AS answer") { columns rows } }')
    await answered(page, /"answer"[\s\S]*42/)
  })

  it('shows a subscription as it comes', async () => {
    const { createProject: _ } = await live.api.request<{ createProject: unknown }>('mutation { createProject(input: { id: "p" }) { id } }')
    const { ingest } = await live.api.request<{ ingest: unknown }>(
      `mutation { ingest(projectId: "p", systemId: "s", sources: [{ dialect: "hive-ddl", text: "create table a.b (c int)" }]) { snapshotId } }`,
    )
    expect(ingest).toBeTruthy()
    const { startRun } = await live.api.request<{ startRun: { id: string } }>('mutation { startRun(kind: LEARN_PATTERNS) { id } }')
    const page = await open(`subscription { runEvents(runId: "${startRun.id}") { sequence type ... on StateEvent { to } } }`)
    await answered(page, /COMPLETED/)
  })

  it('asks nobody else for anything', () => {
    expect(outside).toEqual([])
    expect(failures).toEqual([])
  })
})
