import type { ServiceSettings } from '../../release/settings.ts'
import { formatDuration } from '../../shared/duration.ts'
import { routerTitle } from './router-fit.ts'

/** What a plan says about the way from one router to another, or `null` where the service stays with its router. */
export function moveText(settings: ServiceSettings, before: ServiceSettings | null): string | null {
  if (before === null || before.router === settings.router) return null
  if (settings.listen === null || before.listen === null) return null
  const { requestsMs, websocketsMs } = before.drain
  const atMost = formatDuration(Math.max(requestsMs, websocketsMs))
  const address = `${before.listen.host}:${before.listen.port}`
  return `${capital(routerTitle(before.router))} serves ${address} until the new routes are confirmed, and then finishes what it has for ${atMost} at most: no instance that it uses is stopped before.`
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
