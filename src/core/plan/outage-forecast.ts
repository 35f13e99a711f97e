import type { Release } from '../release/release.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { isWorker } from '../release/worker.ts'
import { formatDuration } from '../shared/duration.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { measuredWayBack } from './measured.ts'
import type { Outage } from './outage.ts'
import type { PlannedStep, Step } from './plan.ts'
import { storedAs } from './stored-as.ts'

type Sides = { release: Release; stable: Release }

/** From the step that stops what runs until the candidate has its share; `null` where somebody always serves. */
export function outageOf(
  steps: readonly Pick<PlannedStep, 'step' | 'expectedMs'>[],
  { release, stable }: Sides,
): Outage | null {
  const from = steps.findIndex(({ step }) => step.kind === 'vacate')
  const opens = steps.findIndex(({ step }) => step.kind === 'traffic')
  const vacating = steps[from]?.step
  if (vacating?.kind !== 'vacate') return null
  const within = steps.slice(from, opens)
  const expectedMs = within.reduce((sum, { expectedMs }) => sum + (expectedMs ?? 0), 0)
  const checksMs = within.reduce((sum, { step }) => sum + (step.kind === 'verify' ? step.atMostMs : 0), 0)
  const atMostMs = longestStopMs(stable.settings) + readyWithinMs(release.settings.health) + checksMs
  const who = nobody(release.settings)
  const lost = isWorker(release.settings)
    ? ''
    : ` Requests in that time get 503 with Retry-After ${vacating.retryAfterS}s: they are lost.`
  const text = `${who} while ${stable.version} stops and ${release.version} starts: ${forecast(expectedMs, atMostMs)}.${lost}`
  return { expectedMs, atMostMs, text }
}

/** The way back of a plan that stops first: the same once more, the other way round. */
export function wayBackWithOutage(
  step: Step,
  {
    release,
    stable,
    history,
  }: Sides & {
    history: { provisionMs: number | null; vacateMs?: number | null; trafficOffMs: readonly number[] }
  },
): string {
  const who = nobody(stable.settings)
  if (AFTER_PROMOTION.has(step.kind))
    return `The same the other way round (sluice rollback): ${release.version} stops, then ${stable.version} is started from ${storedAs(stable)}; ${lower(who)} in between.`
  const expectedMs = (history.vacateMs ?? 0) + (history.provisionMs ?? 0)
  const atMostMs = longestStopMs(release.settings) + readyWithinMs(stable.settings.health)
  const time = `${forecast(expectedMs, atMostMs)}${measuredWayBack(history.trafficOffMs)}`
  if (step.kind === 'vacate')
    return `While ${stable.version} finishes what it has, it goes on as before. Once it has stopped it is started again: ${lower(who)} until it is ready, ${time}.`
  return `${release.version} stops, then ${stable.version} is started again: ${lower(who)} in between, ${time}.`
}

const AFTER_PROMOTION = new Set<Step['kind']>(['promote', 'drain', 'retire'])

const nobody = (settings: ServiceSettings): string =>
  isWorker(settings) ? 'Nobody works' : 'Nobody is served'
const lower = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`

/** Work that is under way may go on for so long, and then the instances may take their time to end. */
function longestStopMs({ listen, drain, run }: ServiceSettings): number {
  const finishMs =
    listen === null ? (run.quiesce?.graceMs ?? 0) : Math.max(drain.requestsMs, drain.websocketsMs)
  return finishMs + run.stopGraceMs
}

const forecast = (expectedMs: number, atMostMs: number): string =>
  expectedMs === 0
    ? `at most ${formatDuration(atMostMs)}; nothing was measured yet`
    : `about ${formatDuration(expectedMs)} as measured, at most ${formatDuration(atMostMs)}`
