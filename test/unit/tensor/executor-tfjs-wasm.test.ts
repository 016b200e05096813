import { describe } from 'vitest'
import { describeTfjs } from './tfjs-contract.js'

describe('executor tfjs-wasm', () => {
  describeTfjs('tfjs-wasm')
})
