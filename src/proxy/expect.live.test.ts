import { request } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { deadPort, makeProxy, portOf, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

/** Never reached: only the last word of an instance counts, however slow the machine is. */
const proxy = useSharedProxy({ expectWaitMs: 60_000 })

describe('Expect: 100-continue', () => {
  const ask = (port: number, body = 'abc') =>
    new Promise<{ invited: boolean; status: number; text: string }>((resolve, reject) => {
      let invited = false
      const req = request({
        port,
        method: 'POST',
        agent: false,
        headers: { expect: '100-continue', 'content-length': body.length },
      })
      req.on('continue', () => {
        invited = true
        req.end(body)
      })
      req.on('response', (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        res.on('end', () => {
          resolve({ invited, status: res.statusCode ?? 0, text })
          req.destroy()
        })
      })
      req.on('error', reject)
      req.flushHeaders()
    })

  it('passes a refusal on without a byte of the body', async () => {
    const { port, origin } = await proxy.through(undefined)
    let bytes = -1
    origin.server.on('checkContinue', (req, res) => {
      bytes = 0
      req.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      res.writeHead(417, { connection: 'close' })
      res.end('no')
    })
    expect(await ask(port)).toEqual({ invited: false, status: 417, text: 'no' })
    expect(bytes).toBe(0)
    await until('counted', async () => (await proxy.total())?.status['4xx'] === 1)
  })

  it('invites the body when the instance does', async () => {
    const { port, origin } = await proxy.through(undefined)
    origin.server.on('checkContinue', (req, res) => {
      res.writeContinue()
      req.pipe(res)
    })
    expect(await ask(port)).toEqual({ invited: true, status: 200, text: 'abc' })
  })

  it('invites the body itself when the instance ignores Expect', async () => {
    const server = createTcpServer((socket) => {
      let text = ''
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        text += chunk
        if (text.endsWith('abc')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const hasty = await makeProxy({ expectWaitMs: 200 })
    try {
      const port = await hasty.setRoutes(routesOf([{ ports: [portOf(server)] }], 1))
      expect(await ask(port)).toEqual({ invited: true, status: 200, text: 'ok' })
    } finally {
      await hasty.remove()
      server.close()
    }
  })

  it('goes to another instance when the first cannot be reached', async () => {
    const good = await proxy.origin((req, res) => void req.pipe(res))
    const port = await proxy.setRoutes(routesOf([{ ports: [await deadPort(), good.port] }], 1))
    for (let turn = 0; turn < 4; turn += 1) expect((await ask(port)).status).toBe(200)
  })
})
