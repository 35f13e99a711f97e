import { describe, expect, it } from 'vitest'
import { cookieIn, setCookie } from './cookie.ts'

describe('cookie', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['a=1', null],
    ['sluice-release=x', 'x'],
    ['a=1; sluice-release=x; b=2', 'x'],
    ['a=1;sluice-release=x', 'x'],
    ['xsluice-release=1; sluice-releasex=2', null],
    ['a="sluice-release=y"; sluice-release=x=1', 'x=1'],
    ['sluice-release', null],
    ['sluice-release=', ''],
    ['sluice-release=first; sluice-release=second', 'first'],
  ])('in %s', (header, value) => {
    expect(cookieIn(header, 'sluice-release')).toBe(value)
  })

  it('is set for the whole site, out of reach of scripts, and for TLS alone where it came by TLS', () => {
    const cookie = { name: 'c', value: 'v', maxAgeMs: 3_600_000 }
    expect(setCookie({ ...cookie, secure: false })).toBe('c=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax')
    expect(setCookie({ ...cookie, secure: true })).toMatch(/; Secure$/)
  })
})
