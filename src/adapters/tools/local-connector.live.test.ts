import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasOpenssl, makeCertificate } from '../../proxy/tls/certificates.test.kit.ts'
import { createHttpClient } from '../http/undici/http.ts'

describe.skipIf(!hasOpenssl)('our own requests to a service with a name', () => {
  it('go to this host, and believe a certificate for that name alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-way-'))
    const { certificate, key } = makeCertificate(folder, 'shop', { names: ['shop.example.org'] })
    const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (req, res) =>
      res.end(`${req.headers.host}`),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as AddressInfo
    const http = createHttpClient()
    const ask = (name: string, certificateFor: string | null) =>
      http.exchange({
        ...{ method: 'GET', url: `https://${name}:${port}/`, headers: {}, body: null },
        ...{ timeoutMs: 5000, maxBytes: 1000 },
        way: { connect: '127.0.0.1', name: certificateFor },
      })
    expect(await ask('shop.example.org', 'shop.example.org')).toMatchObject({
      status: 200,
      body: `shop.example.org:${port}`,
    })
    expect(await ask('else.example.org', 'else.example.org')).toMatchObject({
      kind: 'unreachable',
      reason: 'its certificate is not for else.example.org',
    })
    expect(await ask('127.0.0.1', null)).toMatchObject({ status: 200 })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })
})
