import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutorName } from '../tensor/executors.js'

const program = fileURLToPath(new URL('executor-probe.js', import.meta.url))

/**
 * Tries an executor in a process of its own. Gives its version; throws an Error that says why it is not usable here, also when the
 * process dies of it.
 */
export async function probeExecutor(name: ExecutorName, folder: string | undefined, file = program): Promise<string> {
  const run = promisify(execFile)(process.execPath, [file, name, folder ?? ''], { timeout: 60_000, killSignal: 'SIGKILL' })
  const { stdout } = await run.catch((error: { killed?: boolean; signal?: string; code?: number; stderr?: string }) => {
    const why = error.killed ? 'did not answer within 60 s' : `died (${error.signal ?? `exit status ${error.code}`})`
    const last = error.stderr?.trim().split('\n').at(-1)
    throw new Error(`loading it in a process of its own ${why}${last ? `: ${last}` : ''}`)
  })
  const answer = JSON.parse(stdout.trim().split('\n').at(-1)!) as { version?: string; failure?: string }
  if (answer.version === undefined) throw new Error(answer.failure ?? 'it gave no answer')
  return answer.version
}
