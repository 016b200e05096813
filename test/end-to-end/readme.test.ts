import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { espalier, type LiveEspalier, root, startLive, temporaryFolder } from '../support/espalier.js'

const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, text]) => ({ language, text: text! }))
const commands = blocks
  .filter((block) => block.language === 'sh')
  .flatMap((block) => block.text.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter(Boolean)

/** Splits as a shell does, as far as the README needs: blanks and single quotes. */
const words = (command: string) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)

const ddl = `create database \${DB}; use \${DB};
create table customer (customer_id bigint comment 'who buys', name string, primary key (customer_id) disable novalidate);
create table product (sku string, price decimal(9,2), primary key (sku) disable novalidate);
create table sale (sale_id bigint, buyer bigint, item string, primary key (sale_id) disable novalidate,
  constraint fk_buyer foreign key (buyer) references customer (customer_id) disable novalidate,
  constraint fk_item foreign key (item) references product (sku) disable novalidate);
create database other; use other;
create table person (person_id bigint, name string, primary key (person_id) disable novalidate);
create table visit (visit_id bigint, visitor bigint, primary key (visit_id) disable novalidate,
  constraint fk_visitor foreign key (visitor) references person (person_id) disable novalidate);`

describe('the README', () => {
  let live: LiveEspalier
  const cwd = temporaryFolder()
  beforeAll(async () => {
    fs.mkdirSync(path.join(cwd, 'ddl'))
    fs.writeFileSync(path.join(cwd, 'ddl/shop.sql'), ddl)
    fs.writeFileSync(
      path.join(cwd, 'jobs.xml'),
      '<DEFTABLE><FOLDER FOLDER_NAME="f"><JOB JOBNAME="j" TASKTYPE="Command" CMDLINE="run"/></FOLDER></DEFTABLE>',
    )
    const talk = [
      'turn on the light,on',
      'light on please,on',
      'switch the lamp on,on',
      'lights off,off',
      'turn it off,off',
      'no light now,off',
    ]
    fs.writeFileSync(path.join(cwd, 'talk.csv'), `text,intent\n${talk.join('\n')}\n`)
    live = await startLive(['serve'], { home: path.join(cwd, '.espalier') })
  })
  afterAll(async () => {
    await live?.stop()
    fs.rmSync(cwd, { recursive: true, force: true })
  })

  it('opens with the two commands, which package.json knows', () => {
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test'])
    const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const named = [...readme.matchAll(/npm (?:run )?(test|demo|bench)\b/g)].map(([, name]) => name!)
    for (const name of named) expect(scripts).toHaveProperty(name)
  })

  const own = commands.filter((command) => command.startsWith('npx espalier'))
  it('shows how to serve, ingest, learn, train, promote and ask', () => {
    for (const verb of ['serve', 'ingest', 'learn', 'predict', 'train', 'pipeline', 'artifacts', 'dataset', 'cypher', 'doctor'])
      expect(own.join('\n')).toContain(`espalier ${verb}`)
  })

  it.each(own.filter((command) => command !== 'npx espalier serve'))('%s', async (command) => {
    const args = words(command).slice(2)
    if (args[1] === 'promote') {
      const { artifacts } = await live.api.request<{ artifacts: { edges: { node: { id: string } }[] } }>(
        '{ artifacts { edges { node { id } } } }',
      )
      args[2] = artifacts.edges[0]!.node.id
    }
    const { status, stdout, stderr } = espalier(args, { cwd })
    expect(status, `${stdout}\n${stderr}`).toBe(0)
    expect(stdout.trim()).not.toBe('')
  })

  it('names every variable that is read, and no other', () => {
    const source = fs.readFileSync(path.join(root, 'src/config.ts'), 'utf8')
    const table = [...readme.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
    expect(table.length).toBeGreaterThan(5)
    for (const name of table) expect(source).toContain(name)
  })
})
