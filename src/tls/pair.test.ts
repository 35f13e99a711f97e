import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TlsFiles } from '../core/shared/entry.ts'
import { hasOpenssl, makeCertificate } from '../proxy/tls/certificates.test.kit.ts'
import { EXPIRY_WARNING_MS, expiryWarning, namesIn, pairProblem, readPair } from './pair.ts'

// Without openssl nobody makes certificates here; the live tests say so.
describe.runIf(hasOpenssl)('a certificate and its key', () => {
  let folder: string
  let shop: TlsFiles
  let other: TlsFiles
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-pair-'))
    shop = makeCertificate(folder, 'shop', { names: ['shop.example.org', '*.shop.example.org', '127.0.0.1'] })
    other = makeCertificate(folder, 'other', { names: ['other.example.org'] })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const problemOf = async (files: Partial<TlsFiles>) => {
    const read = await readPair({ ...shop, ...files })
    return read.kind === 'failed' ? read.problem : null
  }
  const written = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const pair = async () => {
    const read = await readPair(shop)
    if (read.kind === 'failed') throw new Error(read.problem.message)
    return read.value
  }

  it('are read when they belong together', async () => {
    const { certificate, validUntil } = await pair()
    expect(namesIn(certificate)).toEqual(['shop.example.org', '*.shop.example.org', '127.0.0.1'])
    expect(validUntil).toBeGreaterThan(Date.now() + 89 * 86_400_000)
  })

  it('are refused with the path and what to do, and without their content', async () => {
    const secret = readFileSync(shop.key, 'utf8')
    const encrypted = makeCertificate(folder, 'locked', { names: ['a'], passphrase: 'swordfish' })
    const cases: [string, Partial<TlsFiles>][] = [
      ['TLS_FILE_MISSING', { certificate: join(folder, 'none.pem') }],
      ['TLS_FILE_MISSING', { key: join(folder, 'none.key') }],
      ['TLS_FILE_UNREADABLE', { certificate: folder }],
      ['TLS_FILE_UNREADABLE', { certificate: written('huge.pem', 'x'.repeat(2 ** 21)) }],
      ['CERTIFICATE_INVALID', { certificate: written('empty.pem', '') }],
      [
        'CERTIFICATE_INVALID',
        { certificate: written('half.pem', readFileSync(shop.certificate, 'utf8').slice(0, 200)) },
      ],
      ['CERTIFICATE_INVALID', { certificate: shop.key }],
      ['TLS_KEY_INVALID', { key: written('empty.key', '') }],
      ['TLS_KEY_INVALID', { key: shop.certificate }],
      ['TLS_KEY_ENCRYPTED', encrypted],
      ['TLS_KEY_MISMATCH', { key: other.key }],
    ]
    for (const [code, files] of cases) {
      const problem = await problemOf(files)
      expect(problem?.code, JSON.stringify(files)).toBe(code)
      const text = JSON.stringify(problem)
      expect(text).toContain(folder)
      expect(text.includes(secret.split('\n')[1] ?? '?')).toBe(false)
    }
  })

  it('must be for all hosts of the service, and for this time', async () => {
    const read = await pair()
    const codeAt = (now: number, hosts?: string[]) => pairProblem(read, { files: shop, hosts, now })?.code
    const now = Date.now()
    expect(codeAt(now, ['shop.example.org', '*.shop.example.org', '127.0.0.1'])).toBeUndefined()
    expect(codeAt(now)).toBeUndefined()
    expect(codeAt(now, ['*.example.org'])).toBe('CERTIFICATE_WRONG_NAME')
    expect(codeAt(now, ['a.b.shop.example.org'])).toBe('CERTIFICATE_WRONG_NAME')
    expect(codeAt(read.validUntil)).toBe('CERTIFICATE_EXPIRED')
    expect(codeAt(now - 86_400_000)).toBe('CERTIFICATE_NOT_YET_VALID')
  })

  it('warn 14 days before the end', async () => {
    const read = await pair()
    const warningAt = (now: number) => expiryWarning(read, { files: shop, now })
    expect(warningAt(read.validUntil - EXPIRY_WARNING_MS - 1000)).toBeNull()
    expect(warningAt(read.validUntil - EXPIRY_WARNING_MS + 1000)?.message).toMatch(/ends at \d{4}-/)
  })

  it('may be a chain: the first certificate is that of the server', async () => {
    const chain = written(
      'chain.pem',
      [shop, other].map(({ certificate }) => readFileSync(certificate, 'utf8')).join(''),
    )
    expect(await problemOf({ certificate: chain })).toBeNull()
    copyFileSync(shop.certificate, chain)
  })
})
