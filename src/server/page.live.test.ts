import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, useServer } from './server.test.kit.ts'

const fixture = useServer()

describe('page', () => {
  it('says how to build it when it is missing', async () => {
    const port = await fixture.startTcp()
    const answer = await ask({ port, path: '/' })
    expect([answer.status, answer.headers['content-type']]).toEqual([503, 'text/plain; charset=UTF-8'])
    expect(answer.text).toContain('npm run build -w web')
  })

  it('serves files with type and cache time, and the page for its own addresses', async () => {
    await mkdir(join(fixture.folder, 'page', 'assets'), { recursive: true })
    await writeFile(join(fixture.folder, 'page', 'index.html'), '<!doctype html><title>page</title>')
    await writeFile(join(fixture.folder, 'page', 'assets', 'main-abc.js'), 'export {}')
    await writeFile(join(fixture.folder, 'outside.txt'), 'secret')
    const port = await fixture.startTcp()
    const script = await ask({ port, path: '/assets/main-abc.js' })
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    for (const path of ['/', '/services/shop.local', '/rollouts/rollout-1']) {
      const page = await ask({ port, path })
      expect([path, page.status, page.headers['cache-control']]).toEqual([path, 200, 'no-cache'])
      expect(page.text).toContain('<title>page</title>')
    }
    const index = await ask({ port, path: '/' })
    const again = await ask({ port, path: '/', headers: { 'if-none-match': index.headers.etag ?? '' } })
    expect(again.status).toBe(304)
    for (const path of ['/assets/gone.js', '/..%2foutside.txt', '/../outside.txt', '/favicon.ico']) {
      const missing = await ask({ port, path })
      expect([path, missing.status]).toEqual([path, 404])
    }
  })
})
