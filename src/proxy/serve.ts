import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ExpectForward } from './expect.ts'
import { Forward } from './forward.ts'
import type { Listener, ListenerHandlers } from './listener.ts'
import { answer, answerSocket, malformed, type Refusal, refusal } from './refusal.ts'
import { readHead } from './request-head.ts'
import type { Service } from './service.ts'
import { isWebSocket, Upgrade } from './upgrade.ts'
import type { VisitContext } from './visit.ts'

/** What the listener of a service does with a request, from the first look to the instance. */
export function handlersOf(service: Service): ListenerHandlers {
  return {
    request: (req, res, listener, expects) => serve(service, req, res, { listener, expects }),
    upgrade: (req, socket, head, listener) => serveUpgrade(service, req, socket, { head, listener }),
    refused: (connection) => service.counters.refuse(connection),
  }
}

function serve(
  service: Service,
  req: IncomingMessage,
  res: ServerResponse,
  { listener, expects }: { listener: Listener; expects: boolean },
): void {
  const head = readHead(req, service.rules)
  if (head.kind === 'refused') {
    service.counters.refuse(req.socket)
    answer(res, head.refusal)
    return
  }
  if (head.contentLength > service.limits.bodyBytes) {
    service.counters.refuse(req.socket)
    answer(res, tooLarge(service.limits.bodyBytes))
    return
  }
  const context = choose(service, listener, head.probe)
  if (context === null) answer(res, noInstance(service, head.probe))
  else if (expects || head.trailers) new ExpectForward(context, req, res, head, expects).start()
  else new Forward(context, req, res, head).start()
}

function serveUpgrade(
  service: Service,
  req: IncomingMessage,
  socket: Duplex,
  { head: first, listener }: { head: Buffer; listener: Listener },
): void {
  const head = readHead(req, service.rules)
  const fault =
    head.kind === 'refused' ? head.refusal : faultOfUpgrade(req, head.chunked || head.contentLength > 0)
  if (fault !== null || head.kind === 'refused') {
    service.counters.refuse(socket)
    answerSocket(socket, fault ?? malformed('The upgrade was not understood.'))
    return
  }
  const context = choose(service, listener, head.probe)
  if (context === null) answerSocket(socket, noInstance(service, head.probe))
  else new Upgrade(context, req, socket, first, head).start()
}

function faultOfUpgrade(req: IncomingMessage, hasBody: boolean): Refusal | null {
  if (!isWebSocket(req) || req.method !== 'GET')
    return malformed('Only WebSocket upgrades by GET are served.')
  return hasBody ? malformed('An upgrade request has no body.') : null
}

function choose(service: Service, listener: Listener, probe: boolean): VisitContext | null {
  const set = service.pick(probe)
  const instance = set?.choose(null) ?? null
  if (set === null || instance === null) return null
  return { set, instance, counters: service.counters, limits: service.limits, door: listener, probe }
}

function noInstance(service: Service, probe: boolean): Refusal {
  if (!probe) service.counters.unroutable += 1
  return refusal(
    503,
    'NO_INSTANCE',
    `${service.name} has no instance that takes requests.`,
    'Try again in a second.',
  )
}

const tooLarge = (limit: number): Refusal =>
  refusal(413, 'BODY_TOO_LARGE', `The body is larger than ${limit} bytes.`, 'Send less at once.')
