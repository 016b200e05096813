import { describe, expect, test } from 'vitest'
import { isLocalCaller, isLoopback } from '../../../src/api/http/guard.js'

describe('who may call while there are no keys', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.0.0.2', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.0.0.1.evil.example', false],
  ])('%s stays on this machine: %s', (host, local) => expect(isLoopback(host)).toBe(local))
  test.each([
    [{ host: '127.0.0.1:4000' }, true],
    [{ host: '[::1]:4000' }, true],
    [{ host: 'localhost' }, true],
    [{ host: 'rebound.example:4000' }, false],
    [{ host: '127.0.0.1:4000', origin: 'http://127.0.0.1:4000' }, true],
    [{ host: '127.0.0.1:4000', origin: 'http://[::1]:4000' }, true],
    [{ host: '127.0.0.1:4000', origin: 'https://evil.example' }, false],
    [{ host: '127.0.0.1:4000', origin: 'null' }, false],
  ])('%j: %s', (headers, allowed) => expect(isLocalCaller(headers)).toBe(allowed))
})
