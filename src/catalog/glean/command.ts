import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import { EspalierError } from '../../util/error.js'

const runnable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The first executable of a name on the PATH; null where there is none. */
export function findOnPath(name: string, searchPath = process.env['PATH'] ?? ''): string | null {
  if (name.includes('/')) return runnable(name) ? name : null
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of searchPath.split(path.delimiter).filter(Boolean))
    for (const ending of endings) {
      const file = path.join(folder, name + ending)
      if (runnable(file)) return file
    }
  return null
}

export interface CommandOptions {
  timeoutMs: number
  /** characters of standard output at most */
  largestOutput?: number
}

const shown = (text: string): string => text.trim().split('\n').slice(-3).join(' / ').slice(0, 400)

/**
 * Runs a command to its end and answers its standard output. Arguments are handed over as they are: no shell reads them. Throws
 * UNAVAILABLE (cannot be started), TIMEOUT, or GLEAN_FAILED (an exit status other than 0, a signal, too much output).
 */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { timeoutMs, largestOutput = 256 * 2 ** 20 } = options
  const what = `${path.basename(file)} ${args.find((arg) => /^[a-z]+$/.test(arg)) ?? ''}`.trim()
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const pieces: Buffer[] = []
    let bytes = 0
    let errors = ''
    const end = (error: EspalierError) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      // what a wrapper script has started may hold the pipes open: nothing waits for it
      child.stdout.destroy()
      child.stderr.destroy()
      reject(error)
    }
    const timer = setTimeout(() => {
      end(
        new EspalierError('TIMEOUT', `${what}: no answer within ${timeoutMs / 1000} s`, {
          remedy: 'Ask for fewer days or facts, or see whether the Glean server is well.',
        }),
      )
    }, timeoutMs)
    child.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length
      pieces.push(piece)
      if (bytes > largestOutput)
        end(
          new EspalierError('GLEAN_FAILED', `${what}: answered more than ${Math.floor(largestOutput / 2 ** 20)} MiB`, {
            remedy: 'Ask for fewer days, or give a limit.',
          }),
        )
    })
    child.stderr.on('data', (piece: Buffer) => {
      errors = (errors + piece.toString('utf8')).slice(-10_000)
    })
    child.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reject(
        new EspalierError('UNAVAILABLE', `${file} cannot be started (${cause.code ?? cause.message})`, {
          cause,
          remedy: 'Install Glean so that `glean` is on the PATH, or set GLEAN_QUERY_API_URL or GLEAN_BATCH_DIR.',
        }),
      )
    })
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      if (status === 0) return resolve(Buffer.concat(pieces).toString('utf8'))
      const ended = signal ? `was ended by ${signal}` : `ended with status ${status}`
      const cause = new Error(errors.trim() || 'it wrote nothing to standard error')
      reject(
        new EspalierError('GLEAN_FAILED', `${what} ${ended}: ${shown(errors) || 'it said nothing'}`, {
          cause,
          remedy: 'Run the same command by hand; does the database have the schema of schema/espalier.angle?',
        }),
      )
    })
  })
}
