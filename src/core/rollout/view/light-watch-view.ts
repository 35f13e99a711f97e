import { formatDuration } from '../../shared/duration.ts'
import type { LightWatch } from '../light-watch/light-watch.ts'
import { blindMsOf, lightWatchUntil } from '../light-watch/light-watch.ts'
import { wayBackFrom } from '../light-watch/light-watch-back.ts'
import type { ServiceState } from '../state.ts'
import type { LightWatchView } from './view.ts'

export function lightWatchView({ lightWatch: watch }: ServiceState, now: number): LightWatchView | null {
  if (watch === null) return null
  const { release, version, rollout, startedAt, settings, requests, errors, blindSince, alarms } = watch
  return {
    release,
    version,
    rollout,
    startedAt,
    until: lightWatchUntil(watch, now),
    onFinding: settings.onFinding,
    requests,
    errors,
    blindSince,
    alarms: alarms.map(({ reason }) => reason.message),
    sentence: sentenceOf(watch, now),
  }
}

function sentenceOf(watch: LightWatch, now: number): string {
  const { version, blindSince, alarms } = watch
  const left = wholeSeconds(lightWatchUntil(watch, now) - now)
  const upTo = watch.cursor === null ? '' : ` up to ${ago(watch.cursor.at, now)}`
  const counted = `${watch.requests} requests with ${watch.errors} errors counted${upTo}`
  const found =
    alarms.length === 0 ? 'nothing found' : `found: ${alarms.map(({ check }) => check).join(', ')}`
  const blind = blindSince === null ? '' : '; no numbers now'
  return `${version} is watched lightly for ${left} more, ${counted}, ${found}${blind}`
}

/** What nobody may miss: what was found since the promotion, and that nobody can look. */
export function lightWatchWarnings(state: ServiceState, now: number): string[] {
  const { lightWatch: watch } = state
  if (watch === null) return []
  const alarms = watch.alarms.map(
    ({ reason, at }) =>
      `${watch.version} since promotion: ${reason.message} (${ago(at, now)}). ${wayBackFrom(state, watch)}`,
  )
  return [...alarms, ...blindWarning(watch, now)]
}

function blindWarning(watch: LightWatch, now: number): string[] {
  if (watch.blindSince === null) return []
  const why = watch.blindBecause === null ? '' : `: ${watch.blindBecause.message.replace(/\.$/, '')}`
  return [
    `The light watch of ${watch.version} has had no numbers for ${wholeSeconds(blindMsOf({ ...watch, blindMs: 0 }, now))}${why}. This time is watched later.`,
  ]
}

const ago = (at: number, now: number): string => `${wholeSeconds(now - at)} ago`
const wholeSeconds = (ms: number): string => formatDuration(Math.floor(Math.max(0, ms) / 1000) * 1000)
