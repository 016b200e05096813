/**
 * Peers of a benchmark: processes that time the same work in turns, so that a busy machine hurts all alike. A peer prints one JSON line
 * when it is ready, then answers each line it reads (a count) with `{ times, memory }`: that many times in ms, its peak resident memory in MB.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)]

/** Tensors for a peer: one JSON line of names, types and shapes, then the data in that order. */
export function writeTensors(tensors) {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'bench-')), 'tensors')
  const header = JSON.stringify(Object.entries(tensors).map(([name, t]) => [name, t.type, t.dims]))
  const data = Object.values(tensors).map((t) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength))
  fs.writeFileSync(file, Buffer.concat([Buffer.from(`${header}\n`), ...data]))
  return file
}

async function start(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  let said = ''
  child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-2000)))
  child.on('error', (error) => (said += error.message))
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const line = await lines.next()
    if (!line.done) return JSON.parse(line.value)
    return { absent: said.trim().split('\n').at(-1) || 'it said nothing' }
  }
  const first = await next()
  return {
    ...first,
    async time(count) {
      child.stdin.write(`${count}\n`)
      return next()
    },
    stop: () => child.kill(),
  }
}

/** A case file of this folder, run as a peer with `settings` (it is `process.argv[2]`, as JSON), in the environment that workers get. */
export const startOurs = (file, settings) =>
  start(process.execPath, [file, JSON.stringify(settings)], { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env })

/** A Python script beside the cases, where `python3` (or $PYTHON) has what it needs. */
export const startPython = (script, ...args) =>
  start(process.env.PYTHON ?? 'python3', [path.join(import.meta.dirname, '..', script), ...args])

/** What a peer of ours does: says `first`, then times `step` as often as it is asked to, after one that does not count. */
export async function answer(first, step) {
  console.log(JSON.stringify(first))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const times = []
    await step()
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now()
      await step()
      times.push(performance.now() - start)
    }
    console.log(JSON.stringify({ times, memory: process.resourceUsage().maxRSS / 1024 }))
  }
  process.exit(0)
}

/** Rounds in turn. Peers that are absent are left out. Gives per peer the times of each round, and its memory. */
export async function race(peers, { rounds, perRound }) {
  const present = Object.entries(peers).filter(([, peer]) => !peer.absent)
  const results = Object.fromEntries(present.map(([name]) => [name, { rounds: [], memory: 0 }]))
  for (let round = 0; round < rounds; round++)
    for (const [name, peer] of present) {
      const { times, memory, absent } = await peer.time(perRound)
      if (absent) throw new Error(`${name}: ${absent}`)
      results[name].rounds.push(times)
      results[name].memory = memory
    }
  for (const [, peer] of present) peer.stop()
  return results
}

/** How many times as fast `ours` is: the median over the rounds of the ratios of their medians. */
export const speedup = (results, ours, theirs) =>
  median(results[ours].rounds.map((times, i) => median(results[theirs].rounds[i]) / median(times)))

/** Rows for the runner, and a note for each peer that is not here. */
export function report(peers, results, ours, digits = 2) {
  const rows = Object.entries(results).map(([what, { rounds, memory }]) => {
    const times = rounds.flat()
    return {
      what,
      'median ms': median(times).toFixed(digits),
      'p10 ms': quantile(times, 0.1).toFixed(digits),
      'p90 ms': quantile(times, 0.9).toFixed(digits),
      'peak MB': memory.toFixed(0),
      'ours is faster by': what === ours ? '' : `${speedup(results, ours, what).toFixed(2)}x`,
    }
  })
  const absent = Object.entries(peers).filter(([, peer]) => peer.absent)
  const notes = absent.map(([name, peer]) => `${name} is not present (${peer.absent}); point $PYTHON at an interpreter that has it`)
  return {
    rows,
    notes: [
      ...notes,
      `load average ${os
        .loadavg()
        .map((l) => l.toFixed(1))
        .join(', ')}`,
    ],
  }
}
