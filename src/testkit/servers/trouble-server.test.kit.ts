import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { KIT_RETRY_AFTER_S } from '../conformance/metric-provider.ts'

export type TroubleServer = {
  address: string
  close(): Promise<void>
}

/** A server that goes wrong in the way its path says (`/timeout`, `/401`...); everything else is for `serve`. */
export async function startTroubleServer(
  serve: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<TroubleServer> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => answer(request, response, { body, serve }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('the server has no port')
  return {
    address: `http://127.0.0.1:${at.port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

type Serve = { body: string; serve: Parameters<typeof startTroubleServer>[0] }

function answer(request: IncomingMessage, response: ServerResponse, { body, serve }: Serve): void {
  const said = String(request.headers.authorization ?? request.headers['x-api-key'] ?? '')
  switch (/^\/([a-z0-9-]+)/i.exec(request.url ?? '')?.[1]) {
    case 'timeout':
      return
    case '401':
      return void response.writeHead(401).end(`who is ${said}?`)
    case '429':
      return void response
        .writeHead(429, { 'retry-after': String(KIT_RETRY_AFTER_S) })
        .end(`too often, ${said}`)
    case 'redirect':
      return void response.writeHead(302, { location: '/elsewhere' }).end()
    case 'large':
      return void response.end('x'.repeat(3_000_000))
    case 'unreadable':
      return void response.end(`hello ${said}`)
    case 'unwell':
      return void response.writeHead(503).end('later')
    default:
      serve(request, response, body)
  }
}
