import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findProgram } from '../../src/adapters/tools/find-program.ts'
import {
  hasOpenssl,
  makeCertificate,
  replaceCertificate,
  WITHOUT_OPENSSL,
} from '../../src/proxy/tls/certificates.test.kit.ts'
import { knock } from '../../src/testkit/conformance/router/knock.ts'
import { eventually } from './kit/settle.ts'
import { startStack } from './kit/stack.ts'

const HOST = 'shop.test'

describe.each(['builtin', 'haproxy', 'nginx'] as const)(
  'one file with TLS, a host and limits, by %s',
  (router) => {
    it('takes a version through a canary, turns away what is over, and follows a renewed certificate', async ({
      skip,
    }) => {
      if (router !== 'builtin' && findProgram(router) === null) return skip(`${router} is not installed`)
      if (!hasOpenssl) return skip(WITHOUT_OPENSSL)
      const folder = mkdtempSync(path.join(tmpdir(), 'sluice-entrance-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const tls = makeCertificate(folder, 'shop', { names: [HOST] })
      const stack = await startStack({
        versions: { '1.0.0': {}, '1.1.0': {} },
        stable: '1.0.0',
        file: { router, hosts: [HOST], tls, limits: { body: '2KiB', requests: 50, perSecond: 500 } },
      })
      const { port } = stack
      const ask = (more: { host?: string; body?: string } = {}) =>
        knock({ port, name: HOST, host: HOST, ...more })
      const versionNow = async () => (await ask()).headers['x-shop-version']
      expect(await versionNow()).toBe('1.0.0')
      const deploy = stack.deploy('1.1.0')
      let isOver = false
      const over = deploy.finally(() => {
        isOver = true
      })
      // Without requests there is nothing to judge it by.
      while (!isOver) expect((await ask()).status).toBe(200)
      expect([(await over).outcome, await versionNow()]).toEqual(['promoted', '1.1.0'])
      expect((await ask({ host: 'else.test' })).code).toBe('NO_SUCH_SERVICE')
      expect((await ask({ body: 'x'.repeat(2_049) })).code).toBe('BODY_TOO_LARGE')
      replaceCertificate(tls, makeCertificate(folder, 'next', { names: [HOST, 'new.test'] }))
      await eventually('the new certificate is shown', async () => (await ask()).shown.includes('new.test'))
      const checked = await stack.cli('router', 'check')
      expect([checked.code, checked.out]).toEqual([0, expect.stringContaining('TLS')])
    })

    it('refuses in the plan what this router cannot do', async ({ skip }) => {
      if (router !== 'nginx') return skip('each has limits of its own: those of HAProxy are in its folder')
      if (findProgram(router) === null) return skip('nginx is not installed')
      const stack = await startStack({
        versions: { '1.0.0': {}, '1.1.0': {} },
        stable: '1.0.0',
        file: { router },
      })
      stack.writeFile({ router, limits: { perSecond: 0.33 } })
      const refused = await stack.cli('plan', '1.1.0')
      expect(refused.code).toBe(13)
      expect(`${refused.out}${refused.err}`).toMatch(/limits\.perSecond: nginx counts a rate/)
      stack.writeFile({ router, limits: { perSecond: 0.35 } })
      expect((await stack.cli('plan', '1.1.0')).code).toBe(3)
    })
  },
)
