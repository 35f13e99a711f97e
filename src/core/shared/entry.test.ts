import { describe, expect, it } from 'vitest'
import { entryConflict, isWithin } from './entry.ts'

const tls = { certificate: '/a.pem', key: '/a.key' }

describe('two services at one address', () => {
  it('are told apart by hosts, by paths, or by being all that is left', () => {
    expect(entryConflict({ hosts: ['a.org'] }, { hosts: ['b.org'] })).toBeNull()
    expect(entryConflict({ hosts: ['a.org'] }, { hosts: ['*.org'] })).toBeNull()
    expect(entryConflict({ hosts: ['a.org'], paths: ['/api'] }, { hosts: ['a.org'] })).toBeNull()
    expect(entryConflict({ paths: ['/api'] }, { paths: ['/api/v2'] })).toBeNull()
    expect(entryConflict({ hosts: ['a.org'] }, {})).toBeNull()
  })

  it('are refused where the same request would be for both', () => {
    expect(entryConflict({}, {})).toBe('both take all paths of every host')
    expect(entryConflict({ hosts: ['a.org', 'b.org'] }, { hosts: ['b.org'] })).toBe(
      'both take all paths of b.org',
    )
    expect(entryConflict({ paths: ['/', '/api'] }, { paths: ['/api'] })).toBe('both take /api of every host')
    expect(entryConflict({ hosts: ['*.a.org'] }, { hosts: ['*.a.org'], paths: ['/'] })).toBe(
      'both take all paths of *.a.org',
    )
  })

  it('both speak TLS or none does', () => {
    expect(entryConflict({ hosts: ['a.org'], tls }, { hosts: ['b.org'] })).toMatch(/TLS/)
    expect(entryConflict({ hosts: ['a.org'], tls }, { hosts: ['b.org'], tls })).toBeNull()
  })
})

describe('a path', () => {
  it('is within a prefix by whole segments, byte by byte', () => {
    const within = ['/api', '/api/', '/api/x', '/api?x', '/api//']
    const outside = ['/apis', '/API', '/', '/%61pi', '//api', '/ap']
    expect(within.filter((path) => !isWithin(path, '/api'))).toEqual([])
    expect(outside.filter((path) => isWithin(path, '/api'))).toEqual([])
    expect(isWithin('*', '/')).toBe(true)
  })
})
