/** A GGNN of the size that bAbI's tasks need, where overhead is everything: the real training loop beside PyTorch's bare step. */
import { raceTorch, servePeer } from './support/ggnn-race.mjs'

const size = { lists: 2, candidates: 5, nodes: 10, edges: 20, features: 8, hidden: 8, steps: 5, threads: 2, warmUp: 300 }

export const title = `GGNN training step, ${size.lists * size.candidates} graphs x ${size.nodes} nodes, hidden ${size.hidden}, ${size.steps} steps, ${size.threads} threads`

export async function run() {
  return raceTorch(import.meta.filename, size, { rounds: 10, perRound: 100, workers: { espalier: null }, digits: 3 })
}

if (process.argv[1] === import.meta.filename) await servePeer(JSON.parse(process.argv[2]))
