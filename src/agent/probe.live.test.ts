import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { probe } from './probe.ts'

describe('a health check', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })
  const listen = async (server: Server) => {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const raw = (answer: (socket: Socket) => void) =>
    listen(createServer((socket) => void socket.on('error', () => {}).once('data', () => answer(socket))))
  /** As long as nothing is to be waited for, a limit that is never reached, however slow the machine is. */
  const ask = async (port: number, timeoutMs = 20_000) => {
    const answer = await probe({
      host: '127.0.0.1',
      port,
      path: '/up',
      timeoutMs,
      redact: (text) => text.replaceAll('hunter2', '***'),
    })
    return answer.kind === 'passed' ? 'passed' : `${answer.failure.kind}: ${answer.failure.message}`
  }

  it('passes on 2xx only', async () => {
    const port = await listen(createHttpServer((_, response) => response.writeHead(204).end()))
    expect(await ask(port)).toBe('passed')
  })

  it('names a status with the beginning of its body on one line, secrets hidden', async () => {
    const body = `hunter2 is\n\twrong ${'x'.repeat(400)}`
    const port = await listen(createHttpServer((_, response) => response.writeHead(500).end(body)))
    const said = await ask(port)
    expect(said).toMatch(/^status: GET http:\/\/127\.0\.0\.1:\d+\/up answered 500: "\*\*\* is wrong x+"$/)
    expect(said.length).toBeLessThan(280)
  })

  it('names a refused connection', async () => {
    // Nobody is given this port, as one that was free a moment ago may be.
    expect(await ask(1)).toMatch(/^refused: .* nothing listens there/)
  })

  it('names a silent instance, one that hangs up, one that speaks TLS, and one that speaks no HTTP', async () => {
    expect(await ask(await raw(() => {}), 300)).toMatch(/^slow: .* within 300 ms/)
    expect(await ask(await raw((socket) => socket.destroy()))).toMatch(/^reset: /)
    expect(await ask(await raw((socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]))))).toMatch(
      /^tls: /,
    )
    expect(await ask(await raw((socket) => socket.end('SSH-2.0-x\r\n')))).toMatch(/^malformed: /)
  })

  it('waits no longer than its limit for the body of a bad answer', async () => {
    const port = await listen(
      createHttpServer((_, response) => void response.writeHead(500).write('never ends')),
    )
    expect(await ask(port, 1500)).toMatch(/answered 500: "never ends"/)
  })
})
