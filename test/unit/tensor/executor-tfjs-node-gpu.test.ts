import { describeIf } from '../../support/need.js'
import { nativeTfjs } from '../../support/tfjs-native.js'
import { describeTfjs } from './tfjs-contract.js'

const folder = nativeTfjs('tfjs-node-gpu')
describeIf(folder, 'not made: node scripts/tfjs-native/make.mjs --gpu', 'executor tfjs-node-gpu', () => {
  // its kernels are those of tfjs-node where there is no GPU
  describeTfjs('tfjs-node-gpu', folder!, 5)
})
