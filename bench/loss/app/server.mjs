// The service of the benches: plain Node, no dependencies. It answers at once, after 2 seconds on /slow, or once a body is
// whole, echoes WebSocket messages, and stops as a well-made service does: nothing is refused that reached it, nothing is cut.
import { createHash } from 'node:crypto'
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import net from 'node:net'
import { hostname } from 'node:os'
import { parseArgs } from 'node:util'

const file = new URL('release.json', import.meta.url)
const { version, failShare } = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { version: 'none', failShare: 0 }
const { values } = parseArgs({ options: { port: { type: 'string', default: process.env.PORT ?? '3000' } } })

const SLOW_MS = 2000
/** Longer than a proxy keeps an idle connection, so that the proxy and not the service closes it. */
const KEEP_ALIVE_MS = 75_000
/** How long idle connections are still served while stopping: a request may be on its way on one of them. */
const GRACE_MS = 1000
/** Less than anybody waits between SIGTERM and SIGKILL here. */
const STOP_LIMIT_MS = 8000
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const TEXT = 1
const CLOSE = 8
const GOING_AWAY = Buffer.from([0x03, 0xe9])

const sockets = new Set()
let stopping = false

const log = process.env.BENCH_REQUESTS
  ? openSync(`${process.env.BENCH_REQUESTS}/${version}@${hostname()}@${process.pid}.log`, 'a')
  : null

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  if (request.url === '/up') {
    response.end('ok')
    return
  }
  if (log !== null) writeSync(log, `${Date.now()}\n`)
  response.setHeader('x-shop-version', version)
  // Echoed, so that a client can prove that it got the answer to its own request.
  if (request.headers['x-load-id']) response.setHeader('x-load-id', request.headers['x-load-id'])
  const answer = () => {
    if (stopping) response.setHeader('connection', 'close')
    response.statusCode = Math.random() < failShare ? 500 : 200
    response.end('{"ok":true}')
  }
  if (request.url === '/slow') setTimeout(answer, SLOW_MS)
  else if (request.method === 'POST') request.resume().once('end', answer)
  else answer()
})

server.on('upgrade', (request, socket) => {
  const key = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${key}\r\n\r\n`,
  )
  sockets.add(socket)
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = echo(socket, Buffer.concat([rest, chunk]))
  })
  socket.on('error', () => undefined)
  // Whoever has nothing more to say gets nothing more: a proxy that ended may not have said goodbye.
  socket.on('end', () => socket.end())
  socket.on('close', () => sockets.delete(socket))
  if (stopping) sayGoodbye(socket)
})

/** Answers each complete frame; returns the bytes of the one that is not. Messages here are short and masked. */
function echo(socket, bytes) {
  let rest = bytes
  while (rest.length >= 6) {
    const length = rest[1] & 0x7f
    if (length > 125) {
      socket.destroy()
      return rest
    }
    if (rest.length < 6 + length) return rest
    const mask = rest.subarray(2, 6)
    const data = Buffer.from(rest.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]))
    const opcode = rest[0] & 0x0f
    rest = rest.subarray(6 + length)
    if (opcode === TEXT) socket.write(frame(TEXT, data))
    if (opcode === CLOSE) socket.end(frame(CLOSE, data.subarray(0, 2)))
  }
  return rest
}

const frame = (opcode, data) => Buffer.concat([Buffer.from([0x80 | opcode, data.length]), data])

function sayGoodbye(socket) {
  if (socket.writable) socket.write(frame(CLOSE, GOING_AWAY))
}

/** Accepts nothing new, lets what runs finish, says goodbye to the WebSockets, and exits with 0. */
function stop() {
  if (stopping) return
  stopping = true
  for (const socket of sockets) sayGoodbye(socket)
  setTimeout(() => setInterval(() => server.closeIdleConnections(), 100), GRACE_MS)
  setTimeout(() => process.exit(0), STOP_LIMIT_MS)
  // Not the close of the HTTP server: that cuts idle connections at once, with requests on their way.
  net.Server.prototype.close.call(server, () => process.exit(0))
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
// PM2 waits for the word, others have no channel to say it on.
// In a container nobody outside reaches its 127.0.0.1.
server.listen(Number(values.port), process.env.BENCH_HOST ?? '127.0.0.1', () => process.send?.('ready'))
