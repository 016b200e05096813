import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'

const require = createRequire(import.meta.url)
const versionOf = (file: string): string => (require(file) as { version: string }).version

/** Instruction sets that change onnxruntime's arithmetic: what parity was measured on. */
const telling = /^(avx|fma|f16c|amx|vnni|sse4|asimd|sve|i8mm|bf16)/

function cpuFlags(): string[] {
  // only Linux tells; elsewhere the architecture is what is known
  if (process.platform !== 'linux') return [process.arch]
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
  return line
    .split(' ')
    .filter((flag) => telling.test(flag))
    .sort()
}

export interface Environment {
  /** tool -> version */
  producer: Record<string, string>
  cpu: string
  cpuFlags: string[]
}

/** The tools and the processor of this process. */
export const readEnvironment = (): Environment => ({
  producer: {
    espalier: versionOf('../../package.json'),
    node: process.versions.node,
    'onnxruntime-node': versionOf('onnxruntime-node/package.json'),
  },
  cpu: os.cpus()[0]?.model ?? process.arch,
  cpuFlags: cpuFlags(),
})
