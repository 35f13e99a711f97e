import { chmod, link, mkdir, stat, writeFile } from 'node:fs/promises'
import { createServer as createNetServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, JSON_TYPE, optionsOf, useServer } from './server.test.kit.ts'
import { createServer } from './server.ts'

const fixture = useServer()

describe('socket', () => {
  it('is open to its owner only, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      const path = await fixture.startSocket()
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect((await stat(join(fixture.folder, 'run'))).mode & 0o777).toBe(0o700)
    } finally {
      process.umask(before)
    }
  })

  it('needs no token and takes the name of the caller from the header', async () => {
    const socketPath = await fixture.startSocket()
    const headers = { ...JSON_TYPE, 'x-sluice-actor': 'ada <1>' }
    const answer = await ask({ socketPath, path: '/api/v1/promote', method: 'POST', headers, body: '{}' })
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ by: 'ada 1', face: 'cli' })
  })

  it('demands the JSON content type on the socket, too', async () => {
    const socketPath = await fixture.startSocket()
    const answer = await ask({ socketPath, path: '/api/v1/promote', method: 'POST', body: '{}' })
    expect(answer.status).toBe(415)
  })

  it('removes a file left by a dead owner and never disturbs a living one', async () => {
    const path = await fixture.startSocket()
    const second = createServer(optionsOf({ calls: [] }, fixture.folder))
    expect(await second.listenSocket(path)).toMatchObject({
      kind: 'failed',
      problem: { code: 'SOCKET_IN_USE' },
    })
    expect((await ask({ socketPath: path, path: '/livez' })).status).toBe(200)
    await fixture.server.close()
    await leaveStaleSocket(path)
    expect(await second.listenSocket(path)).toMatchObject({ kind: 'ok' })
    await second.close()
  })

  it('refuses a folder that others may enter, a file that is no socket, and a path that is too long', async () => {
    fixture.start()
    const refusal = async (path: string) => {
      const listening = await fixture.server.listenSocket(path)
      return listening.kind === 'failed' ? listening.problem.code : 'ok'
    }
    const shared = join(fixture.folder, 'shared')
    await mkdir(shared)
    await chmod(shared, 0o755)
    expect(await refusal(join(shared, 'c.sock'))).toBe('SOCKET_FOLDER_OPEN')
    await writeFile(join(fixture.folder, 'file'), 'mine')
    expect(await refusal(join(fixture.folder, 'file'))).toBe('SOCKET_PATH_TAKEN')
    expect(await refusal(join(fixture.folder, 'x'.repeat(120)))).toBe('SOCKET_PATH_TOO_LONG')
  })
})

/** A process that dies without closing leaves its file: linking the socket keeps one after `close` removed the other. */
async function leaveStaleSocket(path: string): Promise<void> {
  const dead = createNetServer()
  await new Promise<void>((resolve) => dead.listen(`${path}.1`, resolve))
  await link(`${path}.1`, path)
  await new Promise((resolve) => dead.close(resolve))
}
