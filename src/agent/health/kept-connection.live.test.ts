import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { probe } from '../probe.ts'
import { KeptConnection, QUESTIONS_PER_CONNECTION } from './kept-connection.ts'

describe('the connection of a health check', () => {
  const kept = new KeptConnection()
  const sockets: Socket[] = []
  const answered: Socket[] = []
  let server: Server | undefined
  afterEach(() => {
    kept.close()
    server?.closeAllConnections()
    server?.close()
    sockets.length = 0
    answered.length = 0
  })

  const serve = async () => {
    server = createServer((request, response) => {
      answered.push(request.socket)
      response.end('ok')
    })
    server.on('connection', (socket: Socket) => sockets.push(socket))
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const ask = (port: number) =>
    probe({
      ...{ host: '127.0.0.1', port, path: '/up', timeoutMs: 20_000, redact: String },
      turn: kept.next(),
    })
  const times = async (port: number, count: number) => {
    const answers: string[] = []
    for (let turn = 0; turn < count; turn += 1) answers.push((await ask(port)).kind)
    return answers
  }

  it('is a new one every so many questions: an old one would hide that nobody takes new ones', async () => {
    const port = await serve()
    const answers = await times(port, 2 * QUESTIONS_PER_CONNECTION + 1)
    expect(new Set(answers)).toEqual(new Set(['passed']))
    expect(sockets).toHaveLength(3)
    server?.close()
    const later = await times(port, QUESTIONS_PER_CONNECTION)
    expect(later.at(-1)).toBe('failed')
  })

  it('may be closed by the other side in the moment in which it is asked: the question goes out again', async () => {
    const port = await serve()
    expect((await ask(port)).kind).toBe('passed')
    server?.prependOnceListener('request', (request) => request.socket.destroy())
    expect((await ask(port)).kind).toBe('passed')
    expect(sockets).toHaveLength(2)
  })

  it('leaves nothing open once it is given up', async () => {
    const port = await serve()
    await ask(port)
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve))
    kept.close()
    await closed
    expect((await ask(port)).kind).toBe('passed')
    expect(answered[0]).not.toBe(answered[1])
  })
})
