import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AccessEntry } from './access-log/access-log.ts'
import { ExpectForward } from './expect.ts'
import { Forward } from './forward.ts'
import type { Listener, ListenerHandlers } from './listener.ts'
import { answer, answerSocket, malformed, type Refusal, refusal } from './refusal.ts'
import { type Head, readHead } from './request-head.ts'
import type { Service } from './service.ts'
import { isWebSocket, Upgrade } from './upgrade.ts'
import type { VisitContext } from './visit.ts'
import { LIVE, PREVIEW, type Way } from './way.ts'

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
  const entry = service.accessLog?.entryOf(req) ?? null
  if (entry !== null && way === PREVIEW) entry.as = 'preview'
  if (head.kind === 'refused' || head.contentLength > service.limits.bodyBytes) {
    const own = head.kind === 'refused' ? head.refusal : tooLarge(service.limits.bodyBytes)
    way.countersOf(service).refuse(req.socket)
    entry?.turnedAway(own, 'refused')
    answer(res, own)
    return
  }
  const over = admit(service, res, { head, way })
  const arrival = { req, res, head, entry, listener, expects, way }
  if (over instanceof Promise) void over.then((late) => serveLate(service, arrival, late))
  else serveAdmitted(service, arrival, over)
}

type Arrival = {
  req: IncomingMessage
  res: ServerResponse
  head: Head
  entry: AccessEntry | null
  listener: Listener
  expects: boolean
  way: Way
}

/** Whoever went before there was an answer asked nothing of anybody. */
function serveLate(service: Service, arrival: Arrival, over: Refusal | null): void {
  if (!arrival.res.closed) serveAdmitted(service, arrival, over)
}

function serveAdmitted(service: Service, arrival: Arrival, over: Refusal | null): void {
  const { req, res, head, entry, listener, expects, way } = arrival
  if (over !== null) {
    entry?.turnedAway(over, 'refused')
    answer(res, over)
    return
  }
  const context = way.choose(service, listener, req, head)
  if (context === null) {
    const own = way.noInstance(service, head)
    entry?.turnedAway(own, 'unreachable')
    answer(res, own)
    return
  }
  if (entry !== null) enterLog(service, context, { entry, head })
  if (expects || head.trailers) new ExpectForward(context, req, res, head, expects).start()
  else {
    context.copied = way.copied(service, context, req, head)
    new Forward(context, req, res, head).start()
  }
}

/** Over a limit of the service: our own probes and the preview are few, and asked by us. */
function admit(
  service: Service,
  guest: ServerResponse | Duplex,
  { head, way }: { head: Head; way: Way },
): Refusal | null | Promise<Refusal | null> {
  const { admission, gate } = service
  if (admission.isOpen || head.probe || way === PREVIEW) return null
  if (gate === null) return told(service, head, admission.enter(guest))
  return gate.enter(service.name, guest).then((over) => told(service, head, over))
}

function told(service: Service, head: Head, over: Refusal | null): Refusal | null {
  if (over === null) return null
  service.counters.refused += 1
  return head.chunked || head.contentLength > 0 ? over : { ...over, keeps: true }
}

function enterLog(
  service: Service,
  context: VisitContext,
  { entry, head }: { entry: AccessEntry; head: Head },
): void {
  if (head.probe) entry.as = 'probe'
  else if (service.isRuled(context)) entry.as = 'rule'
  context.entry = entry
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
  const entry = service.accessLog?.entryOf(req) ?? null
  if (entry !== null && way === PREVIEW) entry.as = 'preview'
  const turnAway = (own: Refusal, end: 'refused' | 'unreachable') => {
    entry?.turnedAway(own, end)
    answerSocket(socket, own)
  }
  if (fault !== null || head.kind === 'refused') {
    way.countersOf(service).refuse(socket)
    turnAway(fault ?? malformed('The upgrade was not understood.'), 'refused')
    return
  }
  const begin = (over: Refusal | null) => {
    const context = over === null ? way.choose(service, listener, req, head) : null
    if (over !== null) turnAway(over, 'refused')
    else if (context === null) turnAway(way.noInstance(service, head), 'unreachable')
    else {
      if (entry !== null) enterLog(service, context, { entry, head })
      new Upgrade(context, req, socket, first, head).start()
    }
  }
  const over = admit(service, socket, { head, way })
  if (!(over instanceof Promise)) begin(over)
  else {
    socket.on('error', () => undefined)
    void over.then((late) => (socket.destroyed ? undefined : begin(late)))
  }
}

function faultOfUpgrade(req: IncomingMessage, hasBody: boolean): Refusal | null {
  if (!isWebSocket(req) || req.method !== 'GET')
    return malformed('Only WebSocket upgrades by GET are served.')
  return hasBody ? malformed('An upgrade request has no body.') : null
}

const tooLarge = (limit: number): Refusal =>
  refusal(413, 'BODY_TOO_LARGE', `The body is larger than ${limit} bytes.`, 'Send less at once.')
