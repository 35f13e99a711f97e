// The shop: plain Node, no dependencies. Run it with `node server.js --port 3000` or PORT=3000.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { allProducts, findProduct } from './catalog.js'
import { productPage } from './page.js'
import { pay } from './payment.js'
import { waitingFor } from './readiness.js'

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const { values } = parseArgs({ options: { port: { type: 'string', default: process.env.PORT ?? '3000' } } })
const port = Number(values.port)
const BODY_LIMIT_BYTES = 64 * 1024
const EVENT_INTERVAL_MS = 1000
/** Longer than a proxy keeps an idle connection, so that the proxy and not the shop closes it. */
const KEEP_ALIVE_MS = 75_000
/** Less than the ten seconds Sluice waits between SIGTERM and SIGKILL. */
const STOP_LIMIT_MS = 8000

const streams = new Set()
let orders = 0
let stopping = false

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  response.setHeader('x-shop-version', version)
  // Echoed, so that a client can prove that it got the answer to its own request.
  if (request.headers['x-load-id']) response.setHeader('x-load-id', request.headers['x-load-id'])
  if (stopping) response.setHeader('connection', 'close')
  answer(request, response).catch((error) => {
    log('error', { method: request.method, path: request.url, error: error.message })
    if (response.headersSent) response.destroy()
    else sendJson(response, 500, { error: error.message })
  })
})

async function answer(request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://shop')
  const route = `${request.method} ${pathname}`
  if (route === 'GET /up') return health(response)
  if (route === 'GET /') return sendHtml(response, productPage(version, await allProducts()))
  if (route === 'GET /products') return sendJson(response, 200, await allProducts())
  if (route === 'POST /checkout') return checkout(request, response)
  if (route === 'GET /events') return streamEvents(response)
  const id = /^GET \/products\/([\w-]+)$/.exec(route)?.[1]
  const product = id && (await findProduct(id))
  if (product) return sendJson(response, 200, product)
  return sendJson(response, 404, { error: `nothing at ${route}` })
}

function health(response) {
  const reason = waitingFor()
  response.writeHead(reason ? 503 : 200, { 'content-type': 'text/plain' }).end(reason ?? 'ok')
}

async function checkout(request, response) {
  const wish = await readJson(request)
  const isOrder = typeof wish?.product === 'string' && Number.isInteger(wish.quantity) && wish.quantity > 0
  if (!isOrder) return sendJson(response, 400, { error: 'send {"product": "mug", "quantity": 1}' })
  const product = await findProduct(wish.product)
  if (!product) return sendJson(response, 422, { error: `no product "${wish.product}"` })
  orders += 1
  const receipt = await pay({ order: orders, cents: product.cents * wish.quantity })
  sendJson(response, 201, { ...receipt, product: product.id, quantity: wish.quantity })
}

/** Server-sent events: one each second with the number of orders so far. */
function streamEvents(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const send = () => response.write(`data: ${JSON.stringify({ version, orders })}\n\n`)
  const timer = setInterval(send, EVENT_INTERVAL_MS)
  streams.add(response)
  response.on('close', () => {
    clearInterval(timer)
    streams.delete(response)
  })
  send()
}

/** The parsed body; `null` when it is not JSON or too large. */
async function readJson(request) {
  let text = ''
  for await (const part of request.setEncoding('utf8')) {
    if (text.length <= BODY_LIMIT_BYTES) text += part
  }
  try {
    return text.length > BODY_LIMIT_BYTES ? null : JSON.parse(text)
  } catch {
    return null
  }
}

function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendHtml(response, html) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
}

function log(message, fields) {
  console.log(JSON.stringify({ at: new Date().toISOString(), message, version, ...fields }))
}

/** Accepts nothing new, ends the event streams, lets running requests finish, and exits with 0. */
function stop(signal) {
  if (stopping) return
  stopping = true
  log('stopping', { signal, open: streams.size })
  for (const stream of streams) stream.end()
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  setTimeout(() => server.closeAllConnections(), STOP_LIMIT_MS)
  server.close(() => {
    clearInterval(sweep)
    log('stopped', { orders })
    process.exit(0)
  })
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
server.listen(port, '127.0.0.1', () => log('started', { port: server.address().port, pid: process.pid }))
