import { describe, expect, it } from 'vitest'
import { memorySettings } from '../../../src/postgres/memory-settings.js'

const gibibyte = 2 ** 30
const buffers = (total: number, limit?: number) => memorySettings(total, limit).shared_buffers

describe('settings of the embedded server', () => {
  it('takes an eighth of the memory, between 128 MB and 1 GB', () => {
    expect([0.5, 2, 4, 64].map((gibibytes) => buffers(gibibytes * gibibyte))).toEqual(['128MB', '256MB', '512MB', '1024MB'])
  })

  it('goes by what a container grants, where it grants less than there is', () => {
    expect(buffers(64 * gibibyte, 2 * gibibyte)).toBe('256MB')
    expect(buffers(2 * gibibyte, 2 ** 63)).toBe('256MB')
    expect(buffers(2 * gibibyte, 0)).toBe('256MB')
  })
})
