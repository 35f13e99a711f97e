import type { Entrances } from './entrances.ts'
import type { Service } from './service.ts'

/** Stops accepting, and lets everything end within the drain limits of the service. */
export async function stopService(service: Service, entrances: Entrances): Promise<void> {
  const limits = service.routes?.drain ?? { requestsMs: 0, websocketsMs: 0 }
  const closed = Promise.all([service.listener?.close(), service.preview?.close()])
  // Connections that are open now may still bring a request during the idle grace: then the instances are drained.
  await new Promise((resolve) =>
    setTimeout(resolve, service.idle ? 0 : Math.min(limits.requestsMs, service.limits.idleGraceMs)),
  )
  service.drainAll(limits)
  await Promise.race([
    closed,
    deadline(Math.max(limits.requestsMs, limits.websocketsMs) + 2 * service.limits.idleGraceMs),
  ])
  if (service.entrance !== null) {
    entrances.release(service.entrance, service)
    // Whoever else is at this door has drain limits of its own.
    if (service.entrance.users.size === 0) service.listener?.destroy()
  }
  service.destroy()
  await service.closeAccessLog()
}

/** Does not keep the process alive: when everything has ended before it, the proxy leaves at once. */
const deadline = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
