import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import { startWebSockets } from './websockets.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function serve(
  onMessage: (socket: ServerSocket, text: string, number: number) => void,
): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  let number = 0
  server.on('connection', (socket) => {
    number += 1
    const ownNumber = number
    socket.on('message', (data) => onMessage(socket, String(data), ownNumber))
  })
  stops.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `ws://127.0.0.1:${address.port}/live`
}

describe('a WebSocket load', () => {
  it('echoes on every connection and says goodbye itself', async () => {
    const url = await serve((socket, text) => socket.send(text))
    const load = startWebSockets({ url, count: 5, intervalMs: 10 })
    await load.ready
    await expect.poll(() => load.stats().echoed).toBeGreaterThan(50)
    expect(load.stats()).toMatchObject({ open: 5, opened: 5 })
    expect(await load.stop()).toMatchObject({
      open: 0,
      wrongEchoes: 0,
      gracefulCloses: 0,
      unexpectedCloses: 0,
      unanswered: 0,
    })
  })

  it('tells a proper goodbye (1000, 1001) from a cut and from other codes', async () => {
    const closeBy = [
      (socket: ServerSocket) => socket.close(1000),
      (socket: ServerSocket) => socket.close(1001, 'moving'),
      (socket: ServerSocket) => socket.close(1011),
      (socket: ServerSocket) => socket.terminate(),
    ]
    const url = await serve((socket, text, number) => {
      socket.send(text)
      closeBy[number - 1]?.(socket)
    })
    const load = startWebSockets({ url, count: 5, intervalMs: 60_000 })
    await load.ready
    await expect.poll(() => load.stats().open).toBe(1)
    const stats = await load.stop()
    expect(stats).toMatchObject({ opened: 5, gracefulCloses: 2, unexpectedCloses: 2, failedToOpen: 0 })
    expect(stats.closesByCode).toEqual({ 1000: 1, 1001: 1, 1011: 1, 1006: 1 })
  })

  it('counts echoes that are wrong and messages that nobody answered', async () => {
    const url = await serve((socket, text, number) => {
      if (number === 1) socket.send('something else')
      else if (number === 2) socket.close(1001)
      else socket.send(text)
    })
    const load = startWebSockets({ url, count: 3, intervalMs: 60_000 })
    await expect.poll(() => load.stats()).toMatchObject({ wrongEchoes: 1, unanswered: 1, echoed: 1, sent: 3 })
    await load.stop()
  })

  it('counts connections that never opened', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    stops.push(() => server.close())
    const address = server.address()
    const port = address !== null && typeof address !== 'string' ? address.port : 0
    const load = startWebSockets({ url: `ws://127.0.0.1:${port}/live`, count: 3, intervalMs: 1000 })
    await load.ready
    expect(await load.stop()).toMatchObject({ opened: 0, failedToOpen: 3, unexpectedCloses: 0 })
  })
})
