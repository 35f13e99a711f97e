import { describe, expect, it } from 'vitest'
import { addressOf } from './address.ts'
import { tooOld } from './open.ts'
import { problemFrom } from './problems.ts'

const SECRET = 's3cr3t/pa@ss'
const URL_TEXT = `postgresql://ada:${encodeURIComponent(SECRET)}@db.example:6543/sluice?sslmode=disable`

describe('the address of a PostgreSQL store', () => {
  it('is shown without its password', () => {
    expect(addressIn(URL_TEXT).name).toBe('postgresql://ada@db.example:6543/sluice')
  })

  it('may name a socket folder', () => {
    expect(addressIn('postgresql:///sluice?host=/run/postgresql').name).toBe(
      'postgresql:///run/postgresql/sluice',
    )
  })

  it.each(['', 'db', 'http://db/x', 'postgresql://db', 'postgresql://db/'])('refuses %j', (url) => {
    expect(addressOf({ url, schema: 'sluice' })).toMatchObject({ problem: { code: 'STORE_BAD_ADDRESS' } })
  })

  it.each(['', 'Big', 'a-b', '1a', 'a; DROP TABLE x', 'a'.repeat(41)])('refuses the schema %j', (schema) => {
    expect(addressOf({ url: URL_TEXT, schema })).toMatchObject({ problem: { code: 'STORE_BAD_ADDRESS' } })
  })
})

describe('what goes wrong with a PostgreSQL server', () => {
  it.each([
    ['40001', 'STORE_CONFLICT', true],
    ['40P01', 'STORE_CONFLICT', true],
    ['23505', 'STORE_CONFLICT', true],
    ['53100', 'STORE_FULL', true],
    ['53300', 'STORE_UNREACHABLE', true],
    ['57014', 'STORE_UNREACHABLE', true],
    ['57P01', 'STORE_UNREACHABLE', true],
    ['57P03', 'STORE_UNREACHABLE', true],
    ['25006', 'STORE_UNREACHABLE', true],
    ['25P03', 'STORE_UNREACHABLE', true],
    ['55P03', 'STORE_UNREACHABLE', true],
    ['08006', 'STORE_UNREACHABLE', true],
    ['28P01', 'STORE_DENIED', false],
    ['28000', 'STORE_DENIED', false],
    ['42501', 'STORE_DENIED', false],
    ['3D000', 'STORE_UNKNOWN_DATABASE', false],
    ['XX001', 'STORE_CORRUPT', false],
    ['42P01', 'STORE_CORRUPT', false],
    ['22P02', 'STORE_SERVER_REFUSED', false],
  ])('SQLSTATE %s is %s', (state, code, retryable) => {
    const error = Object.assign(new Error(`it said ${SECRET} and ${encodeURIComponent(SECRET)}`), {
      code: state,
      severity: 'ERROR',
    })
    const problem = problemFrom(addressIn(URL_TEXT), error)
    expect(problem).toMatchObject({ code, retryable })
    expect(JSON.stringify(problem)).not.toContain(SECRET)
    expect(JSON.stringify(problem)).not.toContain(encodeURIComponent(SECRET))
  })

  it.each([
    ['ECONNREFUSED', 'connect ECONNREFUSED', 'STORE_UNREACHABLE'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND', 'STORE_UNREACHABLE'],
    ['', 'Connection terminated unexpectedly', 'STORE_UNREACHABLE'],
    ['', 'Query read timeout', 'STORE_UNREACHABLE'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'STORE_TLS_FAILED'],
  ])('%s %j is %s', (code, message, expected) => {
    const error = Object.assign(new Error(message), code === '' ? {} : { code })
    expect(problemFrom(addressIn(URL_TEXT), error).code).toBe(expected)
  })

  it('throws on what is a bug of its own', () => {
    expect(() => problemFrom(addressIn(URL_TEXT), new TypeError('x is not a function'))).toThrow('x is not')
  })

  it('refuses a server that is too old, by both versions', () => {
    const old = tooOld(addressIn(URL_TEXT), { number: 140_012, version: '14.12 (Debian)' })
    expect(old).toMatchObject({ code: 'STORE_OLD_SERVER', retryable: false })
    expect(old?.message).toMatch(/PostgreSQL 14\.12.*version 15/)
    expect(tooOld(addressIn(URL_TEXT), { number: 150_000, version: '15.0' })).toBe(null)
  })
})

function addressIn(url: string) {
  const address = addressOf({ url, schema: 'sluice' })
  if (address.kind === 'ok') return address.value
  throw new Error(address.problem.message)
}
