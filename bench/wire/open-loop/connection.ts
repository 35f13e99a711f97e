import { connect, type Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'
const BUFFER_BYTES = 64 * 1024

export type ConnectionHandlers = {
  /** The answer to the request under way is complete. */
  answered(connection: Connection): void
  failed(why: string): void
}

/**
 * One kept connection of the load client, one request at a time. It knows just enough HTTP to see that an answer is
 * 200 and complete, and it makes almost no garbage: pauses of the client must not be measured.
 */
export class Connection {
  /** Number of the request under way. */
  request = -1
  private readonly socket: Socket
  private readonly handlers: ConnectionHandlers
  private readonly text: Buffer
  /** Bytes of the answer that are still to come; `null` before its head is complete. */
  private leftBytes: number | null = null
  private head = ''

  constructor(port: number, handlers: ConnectionHandlers) {
    this.handlers = handlers
    this.text = Buffer.from(`GET /cart HTTP/1.1\r\nhost: 127.0.0.1:${port}${HEAD_END}`, 'latin1')
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      this.read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
      return true
    }
    const onread = { buffer: Buffer.allocUnsafe(BUFFER_BYTES), callback }
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.socket.on('error', (error) => handlers.failed(error.message))
    this.socket.on('close', () => handlers.failed('The server closed a connection.'))
  }

  send(request: number): void {
    this.request = request
    this.socket.write(this.text)
  }

  end(): void {
    this.socket.removeAllListeners('close')
    this.socket.destroy()
  }

  private read(bytes: Buffer): void {
    if (this.leftBytes === null) this.readHead(bytes)
    else this.leftBytes -= bytes.length
    if (this.leftBytes === null || this.leftBytes > 0) return
    if (this.leftBytes < 0) this.handlers.failed('An answer was longer than it said.')
    this.leftBytes = null
    this.handlers.answered(this)
  }

  private readHead(bytes: Buffer): void {
    this.head += bytes.toString('latin1')
    const end = this.head.indexOf(HEAD_END)
    if (end < 0) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.head.slice(0, end))
    if (!this.head.startsWith('HTTP/1.1 200') || length === null)
      this.handlers.failed(`Not an answer of the origin: ${this.head.slice(0, end)}`)
    this.leftBytes = end + HEAD_END.length + Number(length?.[1] ?? 0) - this.head.length
    this.head = ''
  }
}
