import type { Batch } from '../../analysis/batch.ts'
import { alphaPerGroup } from '../../analysis/check.ts'
import {
  addSaying,
  foundError,
  logEvidenceOf,
  logThresholdOf,
  MOST_NEW_ERRORS,
  type NewError,
  splitOf,
} from '../../analysis/new-errors.ts'
import { type ErrorSignature, type ReleaseErrors, signatureKey } from '../../shared/error-signature/report.ts'
import type { Observed } from '../command.ts'
import type { Event, EventOf } from '../event.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import { isCandidateStable } from '../rollout-position.ts'
import { readyInstances } from '../routing.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import type { NewErrorView } from '../view/view.ts'

/** Kinds of errors that a service is remembered to write; the oldest is forgotten first. */
const KNOWN_LIMIT = 200
/** Kinds that a reason tells. */
const TOLD = 3

type ErrorEvent = EventOf<'errors-known' | 'errors-said'>
type Signature = ErrorSignature & { key: string }

/** What the instances wrote since the last look, as far as it is news: what stable writes is known, and what is left is the candidate's. */
export function seeErrors(
  state: ServiceState,
  { instances }: Pick<Observed, 'instances'>,
  { batch, now }: { batch: Batch | null; now: number },
): Event[] {
  const { stable } = state
  const errors = instances.kind === 'seen' ? (instances.errors ?? []) : []
  const ofStable = errors.find(({ release }) => release === stable?.release)
  if (ofStable === undefined) return []
  const learned = unknown(state, ofStable).map(({ key }) => key)
  const events: Event[] = learned.length === 0 ? [] : [{ kind: 'errors-known', at: now, keys: learned }]
  // Stable writes more kinds than are kept: nobody can tell what is new.
  const said = ofStable.others > 0 ? null : sayingOf(state, errors, { batch, now, learned })
  return said === null ? events : [...events, said]
}

function sayingOf(
  state: ServiceState,
  errors: readonly ReleaseErrors[],
  { batch, now, learned }: { batch: Batch | null; now: number; learned: readonly string[] },
): EventOf<'errors-said'> | null {
  const { rollout } = state
  if (rollout === null || rollout.phase.kind === 'ended' || isCandidateStable(state, rollout)) return null
  const ofCandidate = errors.find(({ release }) => release === rollout.plan.to.release)
  if (ofCandidate === undefined) return null
  const { found } = rollout.newErrors
  const left = found.filter(({ key }) => !learned.includes(key))
  const strange = unknown(state, ofCandidate).filter(({ key }) => !learned.includes(key))
  const isFound = ({ key }: Signature): boolean => left.some((one) => one.key === key)
  const unseen = strange.filter((one) => !isFound(one))
  const fresh = unseen.slice(0, MOST_NEW_ERRORS - left.length)
  const grown = strange.filter(({ key, count }) => left.some((one) => one.key === key && one.count !== count))
  // Counts are news as often as numbers are; a kind nobody has seen is news at once.
  if (fresh.length === 0 && (batch === null || grown.length === 0)) return null
  const counts = grown.map(({ key, count, lastAt }) => ({ key, count, lastAt }))
  const more = unseen.length - fresh.length
  return { kind: 'errors-said', at: now, fresh, counts, more, split: splitIn(state, rollout, batch) }
}

/** A target answers the same again until something changes, and streams are looked at many times a second. */
const KEYED = new WeakMap<ReleaseErrors, Signature[]>()

function unknown(state: ServiceState, errors: ReleaseErrors): Signature[] {
  const keyed =
    KEYED.get(errors) ?? errors.signatures.map((one) => ({ ...one, key: signatureKey(one.template) }))
  KEYED.set(errors, keyed)
  return keyed.filter(({ key }) => !state.knownErrors.includes(key))
}

function splitIn(state: ServiceState, { plan }: RolloutState, batch: Batch | null) {
  if (batch === null) return null
  const readyOf = (release: string | undefined): number =>
    readyInstances(state.sets.find((set) => set.release === release)).length
  return splitOf(
    // Stable also answered what was not copied.
    {
      candidate: batch.candidate.requests,
      stable: batch.shadow === undefined ? batch.stable.requests : batch.requests,
    },
    { candidate: readyOf(plan.to.release), stable: readyOf(plan.from?.release) },
  )
}

/** What is remembered after an event about errors. */
export function evolveErrors(
  state: ServiceState,
  event: ErrorEvent,
): Pick<ServiceState, 'knownErrors' | 'rollout'> {
  const { rollout, knownErrors } = state
  if (event.kind === 'errors-known') {
    const known = [...knownErrors.filter((key) => !event.keys.includes(key)), ...event.keys]
    return { knownErrors: known.slice(-KNOWN_LIMIT), rollout: rollout && without(state, rollout, event.keys) }
  }
  return { knownErrors, rollout: rollout && { ...rollout, newErrors: afterSaying(rollout, event) } }
}

/** What stable writes, too, is not new. What was found in a rollout that is over stays on its record. */
function without(state: ServiceState, rollout: RolloutState, keys: readonly string[]): RolloutState {
  if (rollout.phase.kind === 'ended' || isCandidateStable(state, rollout)) return rollout
  const { newErrors } = rollout
  const found = newErrors.found.filter(({ key }) => !keys.includes(key))
  return { ...rollout, newErrors: { ...newErrors, found } }
}

function afterSaying(rollout: RolloutState, event: EventOf<'errors-said'>): RolloutState['newErrors'] {
  const { found, ranks } = rollout.newErrors
  const { at, split, more } = event
  const bound = boundOf(rollout)
  const grown = found.map((error) => {
    const said = event.counts.find(({ key }) => key === error.key)
    return said === undefined ? error : addSaying(error, said, { at, split, bound })
  })
  const fresh = event.fresh.map((said, index) =>
    addSaying(foundError(said.key, said, ranks + index + 1), said, { at, split, bound }),
  )
  return { found: [...grown, ...fresh], ranks: ranks + fresh.length, more }
}

const boundOf = ({ settings }: RolloutState) => ({
  atLeast: settings.analysis.newErrorsAtLeast,
  alpha: alphaPerGroup(settings.analysis),
})

export const checkNameOf = ({ key }: Pick<NewError, 'key'>): string => `new error ${key}`

/** The errors that are shown to come with the candidate and that nobody has let pass yet, as a reason; `null` for none. */
export function newErrorsShown(rollout: RolloutState): { reason: Reason; checks: string[] } | null {
  const { newErrors, acknowledged, plan } = rollout
  const shown = newErrors.found.filter(
    (error) => error.crossedAt !== null && !acknowledged.includes(checkNameOf(error)),
  )
  const [first] = shown
  if (first === undefined) return null
  const message = `${plan.to.version} writes an error that ${stableName(rollout)} does not, ${times(first.count)} so far: ${first.example}`
  const evidence = {
    newErrors: shown.slice(0, TOLD).map(told),
    logE: logEvidenceOf(first),
    logThreshold: logThresholdOf(first, boundOf(rollout).alpha),
  }
  return { reason: { code: 'NEW_ERRORS', message, evidence, actor: ENGINE }, checks: shown.map(checkNameOf) }
}

/** Whoever reads why a candidate went back should see what it wrote, whatever the cause was. */
export function withNewErrors(rollout: RolloutState, reason: Reason): Reason {
  const found = mostFrequent(rollout)
  const [first] = found
  if (first === undefined || reason.code === 'NEW_ERRORS') return reason
  const others = found.length - 1 + rollout.newErrors.more
  const more = others === 0 ? '' : `, and ${others} more`
  const message = `${reason.message.replace(/\.$/, '')}; it also writes what ${stableName(rollout)} does not: ${first.example} (${times(first.count)})${more}`
  return { ...reason, message, evidence: { ...reason.evidence, newErrors: found.slice(0, TOLD).map(told) } }
}

const told = ({ template, count, example }: NewError) => ({ template, count, example })
const mostFrequent = ({ newErrors }: RolloutState): NewError[] =>
  newErrors.found.toSorted((a, b) => b.count - a.count)
const stableName = ({ plan }: RolloutState): string => plan.from?.version ?? 'stable'
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** The line of the timeline: only what nobody has seen before is worth one. */
export function newErrorsText({ fresh }: EventOf<'errors-said'>): string | null {
  const [first] = fresh
  if (first === undefined) return null
  const more = fresh.length === 1 ? '' : `, and ${fresh.length - 1} more`
  return `the candidate writes an error that stable does not (${times(first.count)}): ${first.example}${more}`
}

export function newErrorViews(rollout: RolloutState): NewErrorView[] {
  return mostFrequent(rollout).map(({ template, example, count, firstAt, lastAt, crossedAt }) => ({
    template,
    example,
    count,
    firstAt,
    lastAt,
    isShown: crossedAt !== null,
    sentence: `written ${times(count)} by ${rollout.plan.to.version} and never by ${stableName(rollout)}: ${example}`,
  }))
}
