import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { probe } from '../probe.ts'
import { KeptConnection, QUESTIONS_PER_CONNECTION } from './kept-connection.ts'

describe('the connection of a health check', () => {
  let kept = new KeptConnection()
  const sockets: Socket[] = []
  const servers: Server[] = []
  afterEach(() => {
    kept.close()
    kept = new KeptConnection()
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const server of servers.splice(0)) server.close()
  })

  const listen = async (server: Server) => {
    servers.push(server)
    server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const serve = (answer: RequestListener) => listen(createHttpServer(answer))
  /** Bytes, piece by piece. */
  const say = (...pieces: string[]) =>
    listen(
      createServer((socket) => {
        socket.on('data', async () => {
          for (const piece of pieces) {
            socket.write(piece)
            await pause(20)
          }
        })
      }),
    )
  const ask = async (port: number, timeoutMs = 20_000, path = '/up') => {
    const answer = await probe({ host: '127.0.0.1', port, path, timeoutMs, redact: String, kept })
    return answer.kind === 'passed' ? 'passed' : `${answer.failure.kind}: ${answer.failure.message}`
  }
  const times = async (port: number, count: number) => {
    const answers: string[] = []
    for (let turn = 0; turn < count; turn += 1) answers.push(await ask(port))
    return answers
  }

  it('is a new one every so many questions: an old one would hide that nobody takes new ones', async () => {
    const port = await serve((_, response) => response.end('ok'))
    const answers = await times(port, 2 * QUESTIONS_PER_CONNECTION + 1)
    expect(new Set(answers)).toEqual(new Set(['passed']))
    expect(sockets).toHaveLength(3)
    servers[0]?.close()
    const later = await times(port, QUESTIONS_PER_CONNECTION)
    expect(later.at(-1)).toMatch(/^refused: /)
  })

  it.each([
    ['in one piece', ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok']],
    ['head and body apart', ['HTTP/1.1 200 OK\r\nContent-Length:2\r\n\r\n', 'ok']],
    ['byte by byte at its begin', ['H', 'TTP/1', '.1 20', '4 No Content\r\n\r', '\n']],
    ['in chunks', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', '0\r\n\r\n']],
  ])('understands a good answer %s', async (_, pieces) => {
    const port = await say(...pieces)
    expect(await times(port, 4)).toEqual(Array(4).fill('passed'))
    expect(sockets).toHaveLength(1)
  })

  it('asks in the ordinary way what it does not understand, and then no more here', async () => {
    const port = await serve((_, response) => response.end('x'.repeat(40_000)))
    expect(await times(port, 3)).toEqual(['passed', 'passed', 'passed'])
    expect(sockets).toHaveLength(4)
    // In doubt the prober closes it, and begins anew.
    kept.close()
    expect(await ask(port)).toBe('passed')
    expect(sockets).toHaveLength(6)
  })

  it('says of a bad answer what the ordinary way says', async () => {
    const port = await serve((_, response) => void response.writeHead(503).end('warming up'))
    expect(await ask(port)).toMatch(/^status: .* answered 503: "warming up"$/)
    expect(await ask(await say('HTTP/1.1 100 Continue\r\n\r\n'), 300)).toMatch(/^slow: /)
    kept.close()
    expect(await ask(await say('SSH-2.0-x\r\n'))).toMatch(/^malformed: /)
    kept.close()
    expect(await ask(await say('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'), 300)).toMatch(
      /^slow: GET http:\/\/127\.0\.0\.1:\d+\/up was not answered within 300 ms$/,
    )
    kept.close()
    expect(await ask(1)).toMatch(/^refused: /)
  })

  it('may be closed by the other side in the moment in which it is asked: the question goes out again', async () => {
    const port = await serve((_, response) => response.end('ok'))
    expect(await ask(port)).toBe('passed')
    servers[0]?.prependOnceListener('request', (request) => request.socket.destroy())
    expect(await ask(port)).toBe('passed')
    expect(sockets).toHaveLength(2)
  })

  it('leaves nothing open once it is given up, and takes nothing that was not asked for', async () => {
    const port = await serve((_, response) => response.end('ok'))
    await ask(port)
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve))
    kept.close()
    await closed
    await ask(port)
    sockets[1]?.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    await new Promise((resolve) => sockets[1]?.once('close', resolve))
    expect(await ask(port)).toBe('passed')
    expect(sockets).toHaveLength(3)
  })
})
