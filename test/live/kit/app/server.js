// The service that the live tests release: one plain file, told by `behaviour.json` beside it how to behave.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const HANDSHAKE_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const SLOW_MS = 2000
const TEXT = 0x81
const CLOSE = 0x88

const version = process.env.SLUICE_VERSION ?? 'by hand'
const behaviour = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'))

if (behaviour.says !== undefined) console.log(behaviour.says)
for (const name of behaviour.printsVariables ?? []) console.log(`${name} is ${process.env[name]}`)
if (behaviour.exitsWith !== undefined) process.exit(behaviour.exitsWith)

const server = createServer(answer)
server.on('upgrade', openWebSocket)
// Requests under way end by themselves; the data plane has taken its connections away before this.
process.once('SIGTERM', () => server.close(() => process.exit(0)))
const port = behaviour.ownPort ?? Number(process.env.PORT)
setTimeout(() => {
  // In a container nobody outside reaches its 127.0.0.1.
  server.listen(port, process.env.HOST ?? '127.0.0.1', () => {
    console.log(`version ${version} listens on ${port}`)
    if (behaviour.burnsCpu) burn()
  })
}, behaviour.listensAfterMs ?? 0)

const BURN_MS = 20
/** Requests come in between. */
function burn() {
  const until = Date.now() + BURN_MS
  while (Date.now() < until);
  setImmediate(burn)
}

let answered = 0
const payments = { all: 0, failed: 0 }
// What only the service knows, for whoever scrapes it.
if (behaviour.metricsPort !== undefined)
  createServer((_, response) => {
    const label = `{version="${version}"}`
    response.end(`payments_total${label} ${payments.all}\npayments_failed_total${label} ${payments.failed}\n`)
  }).listen(behaviour.metricsPort, '127.0.0.1')

function answer(request, response) {
  response.setHeader('x-shop-version', version)
  response.setHeader('x-variant', request.headers['sluice-variant'] ?? '')
  const loadId = request.headers['x-load-id']
  if (loadId !== undefined) response.setHeader('x-load-id', loadId)
  const say = (status, text) => {
    response.statusCode = status
    response.end(`${text}\n`)
  }
  request.resume()
  request.on('end', () => {
    if (request.url === '/up')
      return say(behaviour.neverReady ? 503 : 200, behaviour.neverReady ? 'not yet' : 'up')
    if (request.url === '/slow') return setTimeout(say, SLOW_MS, 200, 'slow')
    if (request.url === '/marker') return say(200, behaviour.marker ?? '')
    if (request.url === '/variable') return say(200, process.env.KEPT ?? 'unset')
    if (Math.random() < (behaviour.hangShare ?? 0)) return undefined
    answered += 1
    for (const text of behaviour.writes ?? [])
      console.error(text.replace('{n}', answered).replace('{key}', process.env.API_KEY))
    payments.all += 1
    if (Math.random() < (behaviour.failedPayments ?? 0)) payments.failed += 1
    if (Math.random() < (behaviour.errorShare ?? 0)) return say(500, 'failed')
    return say(200, version)
  })
}

/** Echoes small text messages and answers a close with a close: all that a WebSocket test needs. */
function openWebSocket(request, socket) {
  const accept = createHash('sha1')
    .update(request.headers['sec-websocket-key'] + HANDSHAKE_SUFFIX)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy())
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let frame = nextFrame(rest); frame !== null; frame = nextFrame(rest)) {
      rest = rest.subarray(frame.length)
      const isClose = frame.opcode === 8
      socket.write(
        Buffer.concat([Buffer.from([isClose ? CLOSE : TEXT, frame.payload.length]), frame.payload]),
      )
      if (isClose) socket.end()
    }
  })
}

/** Clients mask what they send; messages of 126 bytes and more do not occur here. */
function nextFrame(bytes) {
  const size = (bytes[1] ?? 0) & 0x7f
  const length = 6 + size
  if (bytes.length < 6 || bytes.length < length) return null
  const mask = bytes.subarray(2, 6)
  const payload = Buffer.from(bytes.subarray(6, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
  return { opcode: (bytes[0] ?? 0) & 0x0f, length, payload }
}
