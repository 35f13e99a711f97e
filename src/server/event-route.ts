import type { Context as Request } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { AppEnv } from './app-env.ts'
import type { Settings } from './options.ts'
import { problemResponse } from './problem-response.ts'

/** Those listening now, and the signal that ends them all. */
export type EventClients = { count: number; closing: AbortSignal }

/**
 * `GET /api/v1/events`: the present views, then each newer one. Between two writes only the newest view of each
 * service is kept, so a slow client costs one view per service and never sees an old state after a new one.
 */
export async function answerEvents<Context>(
  c: Request<AppEnv>,
  settings: Settings<Context>,
  clients: EventClients,
): Promise<Response> {
  const stream = c.req.query('stream') ?? null
  if (clients.count >= settings.limits.maxEventClients) return problemResponse(c, tooMany(clients.count))
  const mailbox = createMailbox()
  // Subscribed before the first look, so that nothing falls between the two.
  clients.count += 1
  const unsubscribe = settings.subscribe(stream, mailbox.put)
  const leave = once(() => {
    clients.count -= 1
    unsubscribe()
    mailbox.close()
  })
  try {
    const views = await settings.views(stream)
    if (stream !== null && views.length === 0) {
      leave()
      return problemResponse(c, notKnown(stream))
    }
    for (const view of views) mailbox.put(view)
  } catch (error) {
    leave()
    throw error
  }
  return sendEvents(c, { settings, mailbox, leave, closing: clients.closing })
}

const tooMany = (count: number) =>
  problem('EVENTS_LIMIT', {
    message: `${count} clients are listening already.`,
    remedy: 'Close a page or a terminal that watches, then try again.',
    retryable: true,
  })

const notKnown = (stream: string) =>
  problem('SERVICE_NOT_FOUND', {
    message: `There is no service "${stream.slice(0, 100)}".`,
    remedy: 'Write it as service.environment, for example "shop.local". list_services names them all.',
  })

type Sending<Context> = {
  settings: Settings<Context>
  mailbox: Mailbox
  leave: () => void
  closing: AbortSignal
}

function sendEvents<Context>(
  c: Request<AppEnv>,
  { settings, mailbox, leave, closing }: Sending<Context>,
): Response {
  const { heartbeatMs, stalledClientMs } = settings.limits
  // Also without a body ever read (HEAD, or gone before the first write).
  c.env.outgoing.once('close', leave)
  closing.addEventListener('abort', leave, { once: true })
  c.header('x-accel-buffering', 'no')
  return streamSSE(c, async (stream) => {
    stream.onAbort(leave)
    try {
      await stream.write('retry: 1000\n\n')
      for (let more = true; more; ) {
        const views = await mailbox.take(heartbeatMs)
        more = views !== null && !stream.aborted
        if (views === null || !more) break
        const watchdog = setTimeout(() => c.env.outgoing.destroy(), stalledClientMs)
        await sendViews(stream, views)
        clearTimeout(watchdog)
      }
    } finally {
      closing.removeEventListener('abort', leave)
      leave()
    }
  })
}

async function sendViews(stream: SSEStreamingApi, views: ServiceView[]): Promise<void> {
  if (views.length === 0) await stream.write(': heartbeat\n\n')
  for (const view of views) {
    await stream.writeSSE({ event: 'service', id: String(view.revision), data: JSON.stringify(view) })
  }
}

type Mailbox = {
  put(view: ServiceView): void
  /** The views since the last call; empty after `idleMs` without one; `null` when closed. */
  take(idleMs: number): Promise<ServiceView[] | null>
  close(): void
}

function createMailbox(): Mailbox {
  const waiting = new Map<string, ServiceView>()
  const newest = new Map<string, number>()
  let closed = false
  let wake = () => {}
  const drain = () => {
    const views = [...waiting.values()]
    waiting.clear()
    return closed ? null : views
  }
  return {
    put(view) {
      if (closed || view.revision < (newest.get(view.stream) ?? 0)) return
      newest.set(view.stream, view.revision)
      waiting.set(view.stream, view)
      wake()
    },
    async take(idleMs) {
      if (!closed && waiting.size === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, idleMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      return drain()
    },
    close() {
      closed = true
      wake()
    },
  }
}

const once = (act: () => void): (() => void) => {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
