import fs from 'node:fs'
import path from 'node:path'

const home = path.resolve(import.meta.dirname, '../../.espalier/tfjs-native')

/** Where scripts/tfjs-native made a native package of tfjs; null where it did not. */
export function nativeTfjs(name: 'tfjs-node' | 'tfjs-node-gpu'): string | null {
  const folder = path.join(home, name)
  return fs.existsSync(path.join(folder, 'made.json')) ? folder : null
}
