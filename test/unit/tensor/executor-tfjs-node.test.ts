import { describeIf } from '../../support/need.js'
import { nativeTfjs } from '../../support/tfjs-native.js'
import { describeTfjs } from './tfjs-contract.js'

const folder = nativeTfjs('tfjs-node')
describeIf(folder, 'not made: node scripts/tfjs-native/make.mjs', 'executor tfjs-node', () => {
  describeTfjs('tfjs-node', folder!)
})
