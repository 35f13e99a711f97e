import type { ServiceSettings } from '../core/release/settings.ts'
import type { Complaint } from './complaint.ts'
import { durationText } from './units.ts'

/** What cannot work together, although each value is fine by itself. `paths` are the keys to blame, the first one by name. */
export type Conflict = Complaint & { paths: string[] }

export function conflictsIn(settings: ServiceSettings): Conflict[] {
  return [
    ...healthConflicts(settings),
    ...watchConflicts(settings),
    ...failureLimitConflicts(settings),
    ...runConflicts(settings),
    ...repeated(
      settings.notify.map((channel) => channel.name),
      'notify',
      'a channel',
    ),
    ...repeated(
      settings.analysis.metrics.map((metric) => metric.name),
      'analysis.metrics',
      'a metric',
    ),
  ]
}

function healthConflicts({ health }: ServiceSettings): Conflict[] {
  const soonestMs = (health.successes - 1) * health.intervalMs
  if (soonestMs < health.deadlineMs) return []
  return [
    conflict(
      ['health.deadline', 'health.successes', 'health.interval'],
      `is ${durationText(health.deadlineMs)}, but ${health.successes} successes take at least ${durationText(soonestMs)}, so that no instance could ever become ready`,
      `Write a deadline above ${durationText(soonestMs)}, or fewer successes.`,
    ),
  ]
}

function watchConflicts({ strategy, analysis }: ServiceSettings): Conflict[] {
  const key = strategy.kind === 'canary' ? 'canary' : 'blueGreen'
  if (strategy.watchMs >= analysis.intervalMs) return []
  return [
    conflict(
      [`strategy.${key}.watch`, 'analysis.interval'],
      `is ${durationText(strategy.watchMs)}, shorter than the ${durationText(analysis.intervalMs)} between two looks of the analysis, so that nothing would be watched`,
      `Write at least ${durationText(analysis.intervalMs)}.`,
    ),
  ]
}

function failureLimitConflicts({ analysis }: ServiceSettings): Conflict[] {
  const { limit, of } = analysis.resourceFailureLimit
  if (limit <= of) return []
  return [
    conflict(
      ['analysis.resourceFailureLimit.limit', 'analysis.resourceFailureLimit.of'],
      `is ${limit} of the last ${of}, which is never`,
      'Write at most "of".',
    ),
  ]
}

/** The agent sets these itself for every instance. */
const RESERVED = ['PORT', 'SLUICE_VERSION']

function runConflicts({ run }: ServiceSettings): Conflict[] {
  const names = Object.keys(run.env)
  return [
    ...names
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(
          [`run.env.${name}`],
          'is set by Sluice for each instance',
          'Remove it. To pass the port under another name, write for example HTTP_PORT: "{{port}}".',
        ),
      ),
    ...run.secrets
      .filter((name) => Object.hasOwn(run.env, name))
      .map((name) =>
        conflict(
          ['run.secrets'],
          `holds ${name}, which run.env sets as well`,
          'Remove it from one of the two.',
        ),
      ),
    ...run.secrets
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(['run.secrets'], `holds ${name}, which is set by Sluice for each instance`, 'Remove it.'),
      ),
    ...repeated(run.secrets, 'run.secrets', 'a name'),
  ]
}

const repeated = (names: readonly string[], path: string, what: string): Conflict[] =>
  [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) =>
    conflict([path], `has ${what} twice: ${name}`, 'Remove one of the two.'),
  )

/** Two services cannot take traffic at one address. Port 0 is a different port each time. */
export function sharedAddresses(all: readonly ServiceSettings[]): { service: string; conflict: Conflict }[] {
  return all.flatMap((settings, index) => {
    const other = all.slice(0, index).find((earlier) => sameAddress(earlier.listen, settings.listen))
    if (other === undefined) return []
    const address = `${settings.listen.host}:${settings.listen.port}`
    return [
      {
        service: settings.service,
        conflict: {
          paths: ['listen'],
          code: 'CONFIG_SAME_ADDRESS',
          message: `is ${address}, where ${other.service} listens already`,
          remedy: 'Give each service a port of its own.',
        },
      },
    ]
  })
}

function sameAddress(a: ServiceSettings['listen'], b: ServiceSettings['listen']): boolean {
  if (a.port !== b.port || a.port === 0) return false
  const [hostA, hostB] = [plainHost(a.host), plainHost(b.host)]
  return hostA === hostB || hostA === '*' || hostB === '*'
}

function plainHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '*'
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase()
}

const conflict = (paths: string[], message: string, remedy: string): Conflict => ({
  paths,
  code: 'CONFIG_CONFLICT',
  message,
  remedy,
})
