export type WebSocketsOptions = {
  /** `ws://127.0.0.1:8080/live`; the service must send every message back as it is. */
  url: string
  count: number
  /** Between two messages on one connection. */
  intervalMs: number
}

/** Counters since the start. A connection that closed is not opened again. */
export type WebSocketStats = {
  open: number
  opened: number
  failedToOpen: number
  sent: number
  echoed: number
  /** Messages that came back changed, out of order or unasked. */
  wrongEchoes: number
  /** Closed by the service with 1000 or 1001, as it should when it drains. */
  gracefulCloses: number
  /** Closed without a close frame (1006) or with another code. */
  unexpectedCloses: number
  closesByCode: Record<string, number>
  /** Message sent on a connection that ended before the echo came, graceful or not. */
  unanswered: number
}

export type WebSocketLoad = {
  /** Resolves once each connection is open or has failed. */
  readonly ready: Promise<void>
  stats(): WebSocketStats
  /** Closes what is open (1000), waits up to two seconds for the goodbye, answers with the final numbers. */
  stop(): Promise<WebSocketStats>
}

type Connection = {
  socket: WebSocket
  pending: string[]
  timer: NodeJS.Timeout | undefined
  closedByUs: boolean
}
type Counters = Omit<WebSocketStats, 'open'>

const NORMAL_CLOSURE = 1000
const GOING_AWAY = 1001
const GOODBYE_LIMIT_MS = 2000

/** Holds WebSockets open through a release and counts every one that ends without a proper goodbye. */
export function startWebSockets({ url, count, intervalMs }: WebSocketsOptions): WebSocketLoad {
  const counters = emptyCounters()
  const open = new Set<Connection>()
  const ended: Promise<void>[] = []
  const begun: Promise<void>[] = []
  for (let number = 0; number < count; number += 1) {
    const begin = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    begun.push(begin.promise)
    ended.push(end.promise)
    connect({
      url,
      intervalMs,
      name: `${number}`,
      counters,
      open,
      onBegun: begin.resolve,
      onEnded: end.resolve,
    })
  }
  const stats = () => ({ ...counters, closesByCode: { ...counters.closesByCode }, open: open.size })

  async function stop(): Promise<WebSocketStats> {
    for (const connection of open) {
      connection.closedByUs = true
      clearInterval(connection.timer)
      connection.socket.close(NORMAL_CLOSURE)
    }
    const limit = Promise.withResolvers<void>()
    const timer = setTimeout(limit.resolve, GOODBYE_LIMIT_MS)
    await Promise.race([Promise.all(ended), limit.promise])
    clearTimeout(timer)
    return stats()
  }

  return { ready: Promise.all(begun).then(() => undefined), stats, stop }
}

function emptyCounters(): Counters {
  return {
    opened: 0,
    failedToOpen: 0,
    sent: 0,
    echoed: 0,
    wrongEchoes: 0,
    gracefulCloses: 0,
    unexpectedCloses: 0,
    closesByCode: {},
    unanswered: 0,
  }
}

type ConnectOptions = {
  url: string
  intervalMs: number
  name: string
  counters: Counters
  open: Set<Connection>
  onBegun: () => void
  onEnded: () => void
}

function connect({ url, intervalMs, name, counters, open, onBegun, onEnded }: ConnectOptions): void {
  const socket = new WebSocket(url)
  const connection: Connection = { socket, pending: [], timer: undefined, closedByUs: false }
  const ping = () => {
    const message = `ping ${name} ${performance.now()}`
    connection.pending.push(message)
    counters.sent += 1
    socket.send(message)
  }
  socket.addEventListener('open', () => {
    counters.opened += 1
    open.add(connection)
    connection.timer = setInterval(ping, intervalMs)
    ping()
    onBegun()
  })
  socket.addEventListener('message', ({ data }) => {
    if (data === connection.pending.shift()) counters.echoed += 1
    else counters.wrongEchoes += 1
  })
  socket.addEventListener('close', ({ code }) => {
    clearInterval(connection.timer)
    if (open.delete(connection)) countClose(connection, code, counters)
    else counters.failedToOpen += 1
    onBegun()
    onEnded()
  })
}

function countClose({ closedByUs, pending }: Connection, code: number, counters: Counters): void {
  if (closedByUs) return
  counters.unanswered += pending.length
  counters.closesByCode[code] = (counters.closesByCode[code] ?? 0) + 1
  if (code === NORMAL_CLOSURE || code === GOING_AWAY) counters.gracefulCloses += 1
  else counters.unexpectedCloses += 1
}
