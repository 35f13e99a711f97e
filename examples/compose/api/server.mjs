// What is left of each product, and orders. Ready only while its database answers.
import { createServer } from 'node:http'

const VERSION = process.env.SHOP_VERSION ?? 'none'
const { DATABASE = 'http://db:7000', PORT = '4000' } = process.env

const server = createServer(async (request, response) => {
  response.setHeader('x-api-version', VERSION)
  try {
    if (request.url === '/up') return response.end(await ask('/up'))
    const name = /^\/stock\/(\w+)$/.exec(request.url)?.[1]
    if (name === undefined) return response.writeHead(404).end()
    response.end(JSON.stringify({ name, left: Number(await ask(`/${name}`, request.method)) }))
  } catch (error) {
    response.writeHead(503).end(`the database does not answer: ${error.message}`)
  }
})
server.listen(Number(PORT))
process.on('SIGTERM', () => server.close(() => process.exit(0)))

async function ask(path, method = 'GET') {
  const answer = await fetch(`${DATABASE}${path}`, { method, signal: AbortSignal.timeout(1000) })
  if (!answer.ok) throw new Error(`${answer.status}`)
  return answer.text()
}
