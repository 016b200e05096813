import { describe } from 'vitest'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { describeExecutor } from './executor-contract.js'

describe('executor ort', () => {
  describeExecutor({ name: 'ort', doubles: true }, async () => ortExecutor)
})
