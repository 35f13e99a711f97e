import type { SideCounts } from '../../analysis/batch.ts'
import { noRequests } from '../../analysis/batch.ts'
import type { CountsCursor } from '../../analysis/counts-cursor.ts'
import { batchBetween, cursorOf } from '../../analysis/counts-cursor.ts'
import type { LightCheck } from '../../analysis/light-check.ts'
import { describeBroken, isBroken, lightChecks } from '../../analysis/light-check.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { Observed } from '../command.ts'
import type { Event, EventOf } from '../event.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import { servedToUsers } from '../shadow/count-shadow.ts'
import type { Moment } from '../stage-context.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import type { LightWatch } from './light-watch.ts'
import { batchesIn, blindMsOf, keepEveryMs, lightWatchUntil, lookEveryMs, withCounts } from './light-watch.ts'

/** A canary that was promoted is watched lightly from here on, where its settings say so. */
export function beginLightWatch(rollout: RolloutState, now: number): Event[] {
  const { plan, settings, total, cursor } = rollout
  const { lightWatch } = settings.strategy
  if (plan.kind !== 'deploy' || plan.from === null || lightWatch === null) return []
  const { release, version } = plan.to
  const recorded = [
    { version: plan.from.version, counts: total.stable },
    { version, counts: servedToUsers(rollout) },
  ]
  const watch: LightWatch = {
    rollout: rollout.id,
    release,
    version,
    startedAt: now,
    settings: lightWatch,
    checks: lightChecks(settings.analysis, recorded, now),
    cursor: cursor === null ? null : only(cursor, release),
    requests: 0,
    errors: 0,
    blindSince: null,
    blindBecause: null,
    blindMs: 0,
    alarms: [],
    backMs: provisionMs(rollout),
  }
  return watch.checks.length === 0 ? [] : [{ kind: 'light-watch-began', at: now, watch }]
}

function provisionMs({ plan, steps }: RolloutState): number | null {
  const index = plan.steps.findIndex(({ step }) => step.kind === 'provision')
  const { startedAt = null, endedAt = null } = steps[index] ?? {}
  return startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt)
}

/** Whether numbers are worth asking for: `askedAt` is when this controller asked last, `null` for never. */
export function isLightLookDue({ lightWatch }: ServiceState, askedAt: number | null, now: number): boolean {
  if (lightWatch === null) return false
  return askedAt === null || now < askedAt || now - askedAt >= lookEveryMs(lightWatch)
}

/** One look at the numbers of a promoted release. What shows nothing new is not kept (INV9). */
export function seeLightWatch(state: ServiceState, { metrics }: Observed, now: number): Event[] {
  const { lightWatch: watch } = state
  if (watch === null || metrics === null) return []
  if (metrics.kind !== 'samples') {
    const problem = metrics.kind === 'failure' ? metrics.problem : null
    return watch.blindSince === null ? [{ kind: 'light-watch-blind', at: now, problem }] : []
  }
  const cursor = only(cursorOf(metrics.counts, metrics.at), watch.release)
  const sinceAt = watch.cursor?.at ?? metrics.at
  const counts = countsSince(watch, cursor)
  const broken = newlyBroken(watch, withCounts(watch, counts, sinceAt), now)
  if (broken.length === 0 && !isWorthKeeping(watch, counts, cursor)) return []
  return [
    { kind: 'light-watch-counted', at: now, counts, sinceAt, cursor },
    ...broken,
    ...blocked(state, broken, now),
  ]
}

function countsSince({ cursor: last, release }: LightWatch, next: CountsCursor): SideCounts {
  return last === null
    ? noRequests()
    : batchBetween(last, next, { candidate: release, stable: null }).candidate
}

function isWorthKeeping(watch: LightWatch, { requests }: SideCounts, next: CountsCursor): boolean {
  const { cursor: last, blindSince } = watch
  if (last === null || blindSince !== null) return true
  return requests > 0 && (next.at < last.at || next.at - last.at >= keepEveryMs(watch))
}

/** What goes back by itself must not come again before somebody looked into it, as after any automatic rollback. */
function blocked({ rollout, lightWatch }: ServiceState, [alarm]: readonly Alarm[], now: number): Event[] {
  if (alarm === undefined || rollout === null || lightWatch?.settings.onFinding !== 'rollback') return []
  const { release, version, digest } = rollout.plan.to
  const block = { release, version, digest, at: now, rollout: rollout.id, reason: alarm.reason }
  return [{ kind: 'release-blocked', at: now, block }]
}

type Alarm = EventOf<'light-watch-alarmed'>

/** Each check alarms once: whoever was told need not be told each minute. */
function newlyBroken(watch: LightWatch, counted: LightWatch, now: number): Alarm[] {
  const batches = batchesIn(watch)
  return counted.checks
    .filter((check) => !watch.alarms.some((alarm) => alarm.check === check.name))
    .filter((check) => isBroken(check, batches))
    .map(
      (check): Alarm => ({
        kind: 'light-watch-alarmed',
        at: now,
        check: check.name,
        reason: alarmReason(check, { watch, batches, now }),
      }),
    )
}

function alarmReason(
  check: LightCheck,
  { watch, batches, now }: { watch: LightWatch; batches: number; now: number },
): Reason {
  const { bad, total, since } = check.suspect
  return {
    code: 'LIGHT_WATCH',
    message: describeBroken(check, batches, now),
    evidence: {
      check: check.name,
      bad,
      total,
      since,
      limit: check.limit,
      against: check.against,
      release: watch.release,
    },
    actor: ENGINE,
  }
}

/** Only what is compared is kept: the state of a service must stay small. */
const only = (cursor: CountsCursor, release: string): CountsCursor => {
  const also = cursor.also === undefined ? {} : { also: cursor.also.map((plane) => onlyOf(plane, release)) }
  return { ...onlyOf(cursor, release), ...also }
}

const onlyOf = <T extends Pick<CountsCursor, 'releases'>>(plane: T, release: string): T => {
  const counts = plane.releases[release]
  return { ...plane, releases: counts === undefined ? {} : { [release]: counts } }
}

/** A clock that stands this far before the beginning was set back: the time begins anew. */
const CLOCK_TOLERANCE_MS = 1000

/** Its time is over, and somebody looked until now. */
export function endLightWatch({ lightWatch: watch }: ServiceState, { now, looked }: Moment): Event[] {
  if (watch === null || !looked) return []
  if (now < watch.startedAt - CLOCK_TOLERANCE_MS)
    return [{ kind: 'light-watch-began', at: now, watch: { ...watch, ...anew(watch, now) } }]
  if (now < lightWatchUntil(watch, now)) return []
  return [{ kind: 'light-watch-ended', at: now, reason: endReason(watch, now) }]
}

const anew = ({ blindSince }: LightWatch, now: number) => ({
  startedAt: now,
  blindSince: blindSince === null ? null : now,
  blindMs: 0,
})

function endReason(watch: LightWatch, now: number): Reason {
  const { version, alarms, requests, errors, startedAt } = watch
  const blindMs = blindMsOf(watch, now)
  const blind = blindMs < 1000 ? '' : `; ${formatDuration(blindMs)} of it without numbers`
  const found =
    alarms.length === 0 ? 'nothing was found' : `it alarmed: ${alarms.map(({ check }) => check).join(', ')}`
  const lasted = formatDuration(Math.max(0, now - startedAt))
  return {
    code: 'LIGHT_WATCH_OVER',
    message: `the light watch of ${version} is over after ${lasted} and ${requests} requests with ${errors} errors${blind}; ${found}`,
    evidence: { alarms: alarms.length, requests, errors, blindMs },
    actor: ENGINE,
  }
}
