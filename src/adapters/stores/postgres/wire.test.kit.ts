import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A line to a server that can be cut or held at a chosen moment. */
export type Wire = {
  port: number
  /** The next time a client sends this text, the server gets it, and its answer never arrives. */
  cutAfter(text: string): void
  /** What the server says is kept back, and so is every new connection. */
  hold(): void
  goOn(): void
  close(): Promise<void>
}

export async function startWire(to: number): Promise<Wire> {
  const sockets = new Set<Socket>()
  let cut: string | null = null
  let held = false
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    let silent = false
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined) // 'close' follows.
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (chunk) => {
      if (cut !== null && chunk.includes(cut)) {
        cut = null
        silent = true
      }
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (silent) near.destroy()
      else if (!held) near.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    cutAfter: (text) => {
      cut = text
    },
    hold: () => {
      held = true
    },
    goOn: () => {
      held = false
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
