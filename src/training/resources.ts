import { execFile } from 'node:child_process'
import os from 'node:os'
import { promisify } from 'node:util'

/** One reading, under the names of the metrics; `gpu_*` only where there is a GPU. */
export type Resources = Record<'cpu_usage' | 'memory_usage' | 'memory_total', number> &
  Partial<Record<'gpu_usage' | 'gpu_memory' | 'gpu_memory_total', number>>

export interface ResourceMeter {
  /** cpu_usage: share (0..1) of all processors that this process used since the reading before; memory in bytes */
  read(): Promise<Resources>
}

const run = promisify(execFile)

/** Sums over the GPUs that `nvidia-smi` lists (usage: their mean); empty where there is no such program or no GPU. */
async function readGpus(): Promise<Partial<Resources>> {
  const query = ['--query-gpu=utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits']
  const { stdout } = await run('nvidia-smi', query, { timeout: 2_000 })
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number))
    .filter((row) => row.length === 3 && row.every(Number.isFinite))
  if (rows.length === 0) return {}
  const sum = (column: number) => rows.reduce((total, row) => total + row[column]!, 0)
  return { gpu_usage: sum(0) / rows.length / 100, gpu_memory: sum(1) * 2 ** 20, gpu_memory_total: sum(2) * 2 ** 20 }
}

/** A meter of this process. Looks for a GPU at its first reading, and never again where that fails. */
export function openResourceMeter(): ResourceMeter {
  let last = { cpu: process.cpuUsage(), at: performance.now() }
  let hasGpu = true
  return {
    async read() {
      const cpu = process.cpuUsage(last.cpu)
      const at = performance.now()
      const wall = Math.max(1, (at - last.at) * 1000 * os.availableParallelism())
      last = { cpu: process.cpuUsage(), at }
      const gpus = hasGpu
        ? await readGpus().catch((): Partial<Resources> => {
            hasGpu = false
            return {}
          })
        : {}
      return {
        cpu_usage: Math.min(1, (cpu.user + cpu.system) / wall),
        memory_usage: process.memoryUsage.rss(),
        memory_total: os.totalmem(),
        ...gpus,
      }
    },
  }
}
