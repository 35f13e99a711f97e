// The page that customers see. It asks the API what is left.
import { createServer } from 'node:http'

const VERSION = process.env.SHOP_VERSION ?? 'none'
const { API_URL = 'http://api:4000', PORT = '3000' } = process.env
/** 1.2.0 has a bug: each tenth page fails. */
const FAILS = VERSION === '1.2.0' ? 10 : Number.POSITIVE_INFINITY

let pages = 0
const server = createServer(async (request, response) => {
  response.setHeader('x-shop-version', VERSION)
  if (request.url === '/up') return response.end('ok')
  if (++pages % FAILS === 0) return response.writeHead(500).end('cannot read properties of undefined')
  try {
    const answer = await fetch(`${API_URL}/stock/mug`, { signal: AbortSignal.timeout(2000) })
    const { left } = await answer.json()
    response.end(`Mugs: ${left} left (${VERSION}, stock by ${answer.headers.get('x-api-version')})\n`)
  } catch (error) {
    response.writeHead(502).end(`no stock: ${error.message}`)
  }
})
server.listen(Number(PORT))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
