#!/usr/bin/env node
/**
 * Replays the protocol of the glean command as its documentation and source tell it: create, write and finish of instances, list and
 * query of complete ones. State lies in FAKE_GLEAN_ROOT. FAKE_GLEAN_FAULT makes it misbehave: hang, garbage, fail.
 */
import fs from 'node:fs'
import path from 'node:path'
import { checkValue, parseSchema, runQuery } from './angle-reader.mjs'

const root = process.env.FAKE_GLEAN_ROOT
const schema = parseSchema(fs.readFileSync(process.env.FAKE_GLEAN_SCHEMA, 'utf8'))
const die = (status, message) => {
  process.stderr.write(`${message}\n`)
  process.exit(status)
}

const options = {}
const words = []
const valued = new Set(['--db', '--db-name', '--limit', '--schema', '--format'])
for (let args = process.argv.slice(2); args.length > 0; ) {
  const arg = args.shift()
  if (valued.has(arg)) options[arg] = args.shift()
  else if (arg.startsWith('-')) die(1, `Invalid option \`${arg}'`)
  else words.push(arg)
}
const [command, ...operands] = words
fs.appendFileSync(path.join(root, 'commands.log'), `${JSON.stringify(process.argv.slice(2))}\n`)

if (process.env.FAKE_GLEAN_FAULT === 'hang') setInterval(() => {}, 1000)
else if (process.env.FAKE_GLEAN_FAULT === 'garbage') process.stdout.write('Welcome to glean!\n')
else if (process.env.FAKE_GLEAN_FAULT === 'fail') die(3, 'glean: exception: unknown database')
else run()

function fileOf(db) {
  const match = /^([^/]+)\/([^/]+)$/.exec(db ?? '')
  if (!match) die(1, `option --db: cannot parse value \`${db}'`)
  return path.join(root, match[1], `${match[2]}.json`)
}
function load(db) {
  const file = fileOf(db)
  if (!fs.existsSync(file)) die(3, `glean: unknown database: ${db}`)
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
function save(db, state) {
  fs.mkdirSync(path.dirname(fileOf(db)), { recursive: true })
  fs.writeFileSync(fileOf(db), JSON.stringify(state))
}

function run() {
  const db = options['--db']
  if (command === 'create') {
    if (fs.existsSync(fileOf(db))) die(3, 'DB create failure: already exists')
    save(db, {
      created: new Date().toISOString(),
      sequence: fs.readdirSync(path.dirname(path.dirname(fileOf(db)))).length,
      complete: false,
      facts: [],
    })
    process.stdout.write(`Creating DB ${db}\n`)
  } else if (command === 'write') {
    const state = load(db)
    if (state.complete) die(3, `${db} is complete`)
    for (const file of operands) write(state, JSON.parse(fs.readFileSync(file, 'utf8')))
    save(db, state)
    process.stdout.write(operands.map((file) => `Wrote ${file}\n`).join(''))
  } else if (command === 'finish') {
    save(db, { ...load(db), complete: true })
  } else if (command === 'list') {
    const names = fs.existsSync(path.join(root, operands[0])) ? fs.readdirSync(path.join(root, operands[0])) : []
    const list = names.map((file) => {
      const repo = `${operands[0]}/${file.replace(/\.json$/, '')}`
      const { complete, created } = load(repo)
      return { repo, status: complete ? 'COMPLETE' : 'INCOMPLETE', created, completed: null, properties: {}, dependencies: null }
    })
    process.stdout.write(`${JSON.stringify(list)}\n`)
  } else if (command === 'query') {
    const { facts } = load(db)
    try {
      const limit = options['--limit'] === undefined ? undefined : Number(options['--limit'])
      for (const fact of runQuery(operands[0], facts, schema, limit)) process.stdout.write(`${JSON.stringify(fact)}\n`)
    } catch (error) {
      die(3, `glean: exception: BadQuery ${error.message}`)
    }
  } else die(1, `Invalid argument \`${command}'`)
}

function write(state, batch) {
  for (const { predicate, facts } of batch) {
    const type = schema.predicates[predicate]
    if (!type) die(3, `unknown predicate: ${predicate}`)
    for (const { key } of facts) {
      try {
        checkValue(key, type, predicate)
      } catch (error) {
        die(3, `type error: ${error.message}`)
      }
      // facts are unique
      const text = JSON.stringify(key)
      if (!state.facts.some((fact) => fact.predicate === predicate && JSON.stringify(fact.key) === text))
        state.facts.push({ id: 1024 + state.facts.length, predicate, key })
    }
  }
}
