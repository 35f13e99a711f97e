import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ExpectForward } from './expect.ts'
import { Forward } from './forward.ts'
import type { Listener, ListenerHandlers } from './listener.ts'
import { answer, answerSocket, malformed, type Refusal, refusal } from './refusal.ts'
import { readHead } from './request-head.ts'
import type { Service } from './service.ts'
import { isWebSocket, Upgrade } from './upgrade.ts'
import { LIVE, type Way } from './way.ts'

/** What the listener of a service does with a request, from the first look to the instance. */
export function handlersOf(service: Service, way: Way = LIVE): ListenerHandlers {
  return {
    request: (req, res, listener, expects) => serve(service, req, res, { listener, expects, way }),
    upgrade: (req, socket, head, listener) => serveUpgrade(service, req, socket, { head, listener, way }),
    refused: (connection) => way.countersOf(service).refuse(connection),
  }
}

function serve(
  service: Service,
  req: IncomingMessage,
  res: ServerResponse,
  { listener, expects, way }: { listener: Listener; expects: boolean; way: Way },
): void {
  const head = readHead(req, service.rules)
  if (head.kind === 'refused') {
    way.countersOf(service).refuse(req.socket)
    answer(res, head.refusal)
    return
  }
  if (head.contentLength > service.limits.bodyBytes) {
    way.countersOf(service).refuse(req.socket)
    answer(res, tooLarge(service.limits.bodyBytes))
    return
  }
  const context = way.choose(service, listener, req, head)
  if (context === null) answer(res, way.noInstance(service, head))
  else if (expects || head.trailers) new ExpectForward(context, req, res, head, expects).start()
  else new Forward(context, req, res, head).start()
}

function serveUpgrade(
  service: Service,
  req: IncomingMessage,
  socket: Duplex,
  { head: first, listener, way }: { head: Buffer; listener: Listener; way: Way },
): void {
  const head = readHead(req, service.rules)
  const fault =
    head.kind === 'refused' ? head.refusal : faultOfUpgrade(req, head.chunked || head.contentLength > 0)
  if (fault !== null || head.kind === 'refused') {
    way.countersOf(service).refuse(socket)
    answerSocket(socket, fault ?? malformed('The upgrade was not understood.'))
    return
  }
  const context = way.choose(service, listener, req, head)
  if (context === null) answerSocket(socket, way.noInstance(service, head))
  else new Upgrade(context, req, socket, first, head).start()
}

function faultOfUpgrade(req: IncomingMessage, hasBody: boolean): Refusal | null {
  if (!isWebSocket(req) || req.method !== 'GET')
    return malformed('Only WebSocket upgrades by GET are served.')
  return hasBody ? malformed('An upgrade request has no body.') : null
}

const tooLarge = (limit: number): Refusal =>
  refusal(413, 'BODY_TOO_LARGE', `The body is larger than ${limit} bytes.`, 'Send less at once.')
