import * as z from 'zod'
import { parseDuration } from '../../../core/shared/duration.ts'
import { oneLine } from '../../init/render.ts'
import { command, urlPath } from '../../scalars.ts'
import { durationText } from '../../units.ts'
import type { Keys } from './notes.ts'

/** How an instance is asked; `port` is the one that the file names in its health check. */
export type HealthWay =
  | { kind: 'path'; path: string; port: number | null }
  | { kind: 'tcp'; port: number | null }
  | { kind: 'command'; command: string[] }
  /** Nothing was said. */
  | { kind: 'unknown' }

/** Keys of `health` as they are written; only those that the file says something about. */
export type HealthTimes = { interval?: string; timeout?: string; failures?: number; deadline?: string }
export type Health = { way: HealthWay; times: HealthTimes }

const Duration = z.union([z.string(), z.number()])
const HealthCheck = z.object({
  test: z.union([z.string(), z.array(z.string())]).optional(),
  interval: Duration.optional(),
  timeout: Duration.optional(),
  start_period: Duration.optional(),
  start_interval: Duration.optional(),
  retries: z.coerce.number().int().optional(),
  disable: z.boolean().optional(),
})
type HealthCheck = z.output<typeof HealthCheck>

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Two good answers make an instance ready: at this pace that takes long enough to be noticed at each release. */
const SLOW_MS = 5000
const COMPOSE = { interval: '30s', retries: 3 }

export function healthOf(keys: Keys): Health {
  const check = keys.read('healthcheck', HealthCheck)
  if (check === undefined || check.disable === true) return { way: { kind: 'unknown' }, times: {} }
  const way = wayOf(keys, check.test)
  return way.kind === 'unknown' ? { way, times: {} } : { way, times: timesOf(keys, check) }
}

function wayOf(keys: Keys, test: HealthCheck['test']): HealthWay {
  const [kind = '', ...rest] = typeof test === 'string' ? ['CMD-SHELL', test] : (test ?? [])
  if (kind === 'CMD') return askedBy(keys, rest.join(' '), rest)
  if (kind === 'CMD-SHELL') return askedBy(keys, rest.join(' '), ['sh', '-c', rest.join(' ')])
  if (kind !== '' && kind !== 'NONE')
    keys.leaveOut('healthcheck', 'Its test begins with neither CMD nor CMD-SHELL nor NONE.')
  return { kind: 'unknown' }
}

/** A request to the service itself is made from outside; anything else is a program. */
function askedBy(keys: Keys, line: string, words: string[]): HealthWay {
  const request =
    /http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d{1,5}))?(\/[^\s"'`|;&)\\]*)?(?=$|[\s"'`|;&)\\])/.exec(
      line,
    )
  if (request !== null) {
    const path = request[2] ?? '/'
    if (urlPath().safeParse(path).success) return { kind: 'path', path, port: Number(request[1] ?? 80) }
  }
  const connection = /^(?:sh -c )?nc\s+(?:-\w+\s+)*(?:localhost|127\.0\.0\.1)\s+(\d{1,5})\b/.exec(line)
  if (connection !== null) return { kind: 'tcp', port: Number(connection[1]) }
  if (command().safeParse(words).success) return { kind: 'command', command: words }
  keys.leaveOut('healthcheck', `${oneLine(line)} cannot be a program of health.`)
  return { kind: 'unknown' }
}

function timesOf(keys: Keys, check: HealthCheck): HealthTimes {
  const interval = msOf(keys, check.interval, HOUR_MS)
  const timeout = msOf(keys, check.timeout, HOUR_MS)
  const start = msOf(keys, check.start_period, DAY_MS)
  const failures = check.retries === undefined ? null : Math.min(100, Math.max(1, check.retries))
  if (check.start_interval !== undefined)
    keys.leaveOut('healthcheck', 'start_interval: an instance is asked in one interval from its start.')
  if (interval !== null && interval > SLOW_MS)
    keys.check(
      `${keys.service} is asked every ${durationText(interval)} and is ready after two good answers. With a shorter health.interval each release is quicker by that.`,
    )
  return {
    ...(interval === null ? {} : { interval: durationText(interval) }),
    ...(timeout === null ? {} : { timeout: durationText(timeout) }),
    ...(failures === null ? {} : { failures }),
    ...(start === null ? {} : { deadline: durationText(deadlineOf(start, interval, failures)) }),
  }
}

/** Failures within the start period count for nothing; after it so many in a row are one too many. */
function deadlineOf(startMs: number, intervalMs: number | null, failures: number | null): number {
  const interval = intervalMs ?? parseDuration(COMPOSE.interval) ?? 0
  return Math.min(DAY_MS, startMs + interval * (failures ?? COMPOSE.retries))
}

/** Within the limits of our keys; `null` where it is no duration of Compose. */
function msOf(keys: Keys, written: string | number | undefined, mostMs: number): number | null {
  if (written === undefined) return null
  const ms = typeof written === 'string' && written.length <= 32 ? parseDuration(written) : null
  if (ms !== null) return Math.min(mostMs, Math.max(10, ms))
  keys.leaveOut('healthcheck', `${JSON.stringify(written)} is no duration such as 30s or 1m30s.`)
  return null
}

/** `stop_grace_period`; `null` where it is not said. */
export function stopGraceOf(keys: Keys): string | null {
  const written = keys.read('stop_grace_period', z.string())
  if (written === undefined) return null
  const ms = written.length <= 32 ? parseDuration(written) : null
  if (ms !== null) return durationText(Math.min(ms, HOUR_MS))
  keys.leaveOut('stop_grace_period', `${JSON.stringify(written)} is no duration such as 10s.`)
  return null
}
