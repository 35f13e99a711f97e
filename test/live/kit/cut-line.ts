import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A line to a server on this machine that can be cut in the two ways in which networks are cut. */
export type CutLine = {
  port: number
  /** Connections break, and new ones are refused right after they came. */
  drop(): void
  /** Nothing arrives on either side any more, and nobody is told. What was sent arrives after the line is whole again. */
  silence(): void
  heal(): void
  close(): Promise<void>
}

export async function startCutLine(to: number): Promise<CutLine> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let mode: 'whole' | 'dropped' | 'silent' = 'whole'
  const server = createServer((near) => {
    near.on('error', () => undefined) // 'close' follows.
    if (mode === 'dropped') return void near.destroy()
    const far = connect(to, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    far.on('error', () => undefined)
    for (const [from, into] of [pair, [far, near] as const]) {
      from.on('data', (chunk) => into.write(chunk))
      from.on('close', () => {
        pairs.delete(pair)
        into.destroy()
      })
    }
    if (mode === 'silent') for (const socket of pair) socket.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const each = (change: (socket: Socket) => unknown) => {
    for (const pair of pairs) for (const socket of pair) change(socket)
  }
  return {
    port: address.port,
    drop: () => {
      mode = 'dropped'
      each((socket) => socket.destroy())
    },
    silence: () => {
      mode = 'silent'
      each((socket) => socket.pause())
    },
    heal: () => {
      mode = 'whole'
      each((socket) => socket.resume())
    },
    close: async () => {
      each((socket) => socket.destroy())
      server.close()
      await once(server, 'close')
    },
  }
}
