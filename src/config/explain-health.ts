import type { HealthCheck, LiveProbe, NamedCheck, StartProbe } from '../core/shared/health-check.ts'
import { type HealthProbe, readyCheckOf } from '../core/shared/set-spec.ts'
import { durationText } from './units.ts'
import { addressText, listText, listValues, type Value, wordText } from './value-text.ts'

/** The keys of `health` as they take effect. */
export const healthValues = (health: HealthProbe): Value[] => [
  ...askedValues('health', readyCheckOf(health)),
  ['health.interval', durationText(health.intervalMs)],
  ['health.timeout', durationText(health.timeoutMs)],
  ['health.successes', String(health.successes)],
  ['health.failures', String(health.failures)],
  ['health.deadline', durationText(health.deadlineMs)],
  ...(health.start === undefined ? [['health.start', 'off'] as const] : startValues(health.start)),
  ...(health.live === undefined ? [['health.live', 'off'] as const] : liveValues(health.live)),
  ...listValues('health.checks', health.checks ?? [], namedCheckText),
]

const startValues = (start: StartProbe): Value[] => [
  ...askedValues('health.start', start.check),
  ['health.start.interval', durationText(start.intervalMs)],
  ['health.start.timeout', durationText(start.timeoutMs)],
  ['health.start.deadline', durationText(start.deadlineMs)],
]

const liveValues = (live: LiveProbe): Value[] => [
  ...askedValues('health.live', live.check),
  ['health.live.interval', durationText(live.intervalMs)],
  ['health.live.timeout', durationText(live.timeoutMs)],
  ['health.live.failures', String(live.failures)],
]

function askedValues(path: string, check: HealthCheck): Value[] {
  switch (check.kind) {
    case 'http':
      return [[`${path}.path`, check.path]]
    case 'tcp':
      return [[`${path}.tcp`, 'true']]
    case 'grpc':
      return [[`${path}.grpc`, check.service === '' ? '{}' : `{ service: ${wordText(check.service)} }`]]
    case 'command':
      return [[`${path}.command`, listText(check.command)]]
    case 'runs':
      return [[`${path}.runs`, durationText(check.forMs)]]
  }
}

function namedCheckText(one: NamedCheck): string {
  const { name, kind, check, everyMs, timeoutMs, failures, onFailure } = one
  const [asked] =
    check.kind === 'address'
      ? [`tcp: ${addressText(check)}`]
      : askedValues('', check).map(([key, value]) => `${key.slice(1)}: ${value}`)
  return `{ name: ${wordText(name)}, kind: ${kind}, ${asked}, every: ${durationText(everyMs)}, timeout: ${durationText(timeoutMs)}, failures: ${failures}, onFailure: ${onFailure} }`
}
