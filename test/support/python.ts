import { spawnSync } from 'node:child_process'

/**
 * A Python that has these modules: the one that PYTHON names, else python3; with the reason why there is none. Continuous integration
 * makes one (`.ci/run`); users need none.
 */
export function pythonWith(...modules: readonly string[]): { python: string | null; reason: string } {
  const python = process.env['PYTHON'] || 'python3'
  const { status, stderr, error } = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' })
  if (status === 0) return { python, reason: '' }
  return { python: null, reason: `${python}: ${error?.message ?? stderr.trim().split('\n').at(-1)}` }
}
