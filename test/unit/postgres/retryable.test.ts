import { describe, expect, it } from 'vitest'
import { assertServerVersion, describeUrl } from '../../../src/postgres/database.js'
import { planMigrations } from '../../../src/postgres/migrate.js'
import { backOff, isConnectionLoss, isRetryable, retryableStates } from '../../../src/postgres/retryable.js'

const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code })

describe('isRetryable', () => {
  it.each(Object.keys(retryableStates))('%s is a SQLSTATE that may pass', (state) => {
    expect(state).toMatch(/^[0-9A-Z]{5}$/)
    expect(isRetryable(withCode(state))).toBe(true)
  })
  it.each(['23505', '42P01', '22P02', 'ENOENT', ''])('"%s" is not', (code) => expect(isRetryable(withCode(code))).toBe(false))
  it('knows broken connections by code and by what pg says', () => {
    expect(isConnectionLoss(withCode('ECONNRESET'))).toBe(true)
    expect(isConnectionLoss(new Error('Connection terminated unexpectedly'))).toBe(true)
    expect(isConnectionLoss(withCode('40001'))).toBe(false)
    expect(isRetryable('a string')).toBe(false)
  })
  it('waits longer from try to try, a second at most', () => {
    expect([1, 2, 3, 20].map((attempt) => backOff(attempt, 1))).toEqual([20, 40, 80, 1_000])
    expect(backOff(1, 0)).toBe(10)
  })
})

describe('assertServerVersion', () => {
  it('takes 15 and newer, and names what it found', () => {
    expect(() => assertServerVersion(150_000, 'postgres://a:b@h/d')).not.toThrow()
    expect(() => assertServerVersion(140_011, 'postgres://a:secret@h:1/d')).toThrow('postgres://a@h:1/d has version 14; at least 15')
  })
  it('never says the password', () => expect(describeUrl('postgres://user:pass@host:5/name')).toBe('postgres://user@host:5/name'))
})

describe('planMigrations', () => {
  const all = ['000001-a.sql', '000002-b.sql', '000003-c.sql'].map((file) => ({ file, text: '', checksum: `sum ${file}` }))
  const applied = (...files: string[]) => new Map(files.map((file) => [file, `sum ${file}`]))
  it('gives what is missing, in order, also below what is applied', () => {
    expect(planMigrations(all, applied('000002-b.sql')).map((m) => m.file)).toEqual(['000001-a.sql', '000003-c.sql'])
  })
  it('refuses a database that is ahead', () =>
    expect(() => planMigrations(all, applied('000009-z.sql'))).toThrow('has migration 000009-z.sql, which this version'))
  it('refuses a file changed after it was applied', () =>
    expect(() => planMigrations(all, new Map([['000001-a.sql', 'other']]))).toThrow('000001-a.sql was changed'))
})
