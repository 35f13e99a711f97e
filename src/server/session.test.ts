import { describe, expect, it } from 'vitest'
import { isSession, SESSION_MS, sameSecret, sealSession } from './session.ts'

const TOKEN = 'a-token-that-is-long-enough-for-a-test'

describe('session', () => {
  it('accepts its own cookie until it ends', () => {
    const value = sealSession(TOKEN, 8000, 1000)
    expect(isSession(value, TOKEN, 8000, 1000 + SESSION_MS - 1)).toBe(true)
    expect(isSession(value, TOKEN, 8000, 1000 + SESSION_MS)).toBe(false)
  })

  it('does not contain the token', () => {
    expect(sealSession(TOKEN, 8000, 0)).not.toContain(TOKEN)
  })

  it('refuses a longer life, another port, another token and noise', () => {
    const value = sealSession(TOKEN, 8000, 0)
    const mark = value.split('.')[1]
    expect(isSession(`${SESSION_MS * 2}.${mark}`, TOKEN, 8000, 0)).toBe(false)
    expect(isSession(value, TOKEN, 8001, 0)).toBe(false)
    expect(isSession(value, `${TOKEN}!`, 8000, 0)).toBe(false)
    for (const noise of [undefined, '', '.', 'x.y', `${value}.z`.slice(1)]) {
      expect(isSession(noise, TOKEN, 8000, 0)).toBe(false)
    }
  })

  it('compares secrets of different lengths without throwing', () => {
    expect(sameSecret('a', 'ab')).toBe(false)
    expect(sameSecret('ab', 'ab')).toBe(true)
  })
})
