import type { NamedCheck } from '../../shared/health-check.ts'
import type { Instance } from '../../shared/instance.ts'
import type { Event } from '../event.ts'
import { ENGINE, type Reason } from '../reason.ts'
import { isCandidateStable, runningRollout } from '../rollout-position.ts'
import { readyInstances } from '../routing.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import type { CheckView } from '../view/view.ts'
import type { NamedCheckState, Standing } from './named-check-state.ts'

/** What the sides of the rollout say now, where that is news. From here on it is judged by, and can be judged again. */
export function seeNamedChecks(state: ServiceState, now: number): Event[] {
  const rollout = runningRollout(state)
  if (rollout === null || isCandidateStable(state, rollout)) return []
  const setOf = (release: string | undefined) => state.sets.find((set) => set.release === release)
  const [candidate, stable] = [setOf(rollout.plan.to.release), setOf(rollout.plan.from?.release)]
  const checks = checksOf(rollout).map(
    ({ name }): NamedCheckState => ({
      name,
      candidate: standingOf(candidate, name),
      stable: standingOf(stable, name),
      stableReturns: stable?.instances.some(isComingBack) === true,
    }),
  )
  const isNews = JSON.stringify(checks.map(essence)) !== JSON.stringify(rollout.namedChecks.map(essence))
  return isNews ? [{ kind: 'named-checks-seen', at: now, checks }] : []
}

/** The words of a cause may change with every look. */
const essence = ({ name, candidate, stable, stableReturns }: NamedCheckState): unknown => [
  name,
  ...[candidate, stable].map((one) => one && [one.state, one.failing, one.asked]),
  stableReturns,
]

function standingOf(set: SetState | undefined, name: string): Standing | null {
  const results = readyInstances(set).flatMap(({ checks = [] }) => checks.filter((one) => one.name === name))
  const failing = results.filter(({ state }) => state === 'failing')
  const [first] = failing.length > 0 ? failing : results
  if (first === undefined) return null
  const known = results.some(({ state }) => state === 'passing') ? 'passing' : 'unknown'
  const state = failing.length > 0 ? 'failing' : known
  return { state, message: first.message, failing: failing.length, asked: results.length }
}

const isComingBack = ({ state }: Instance): boolean =>
  state === 'starting' || state === 'unready' || state === 'crashed'

/** `excused`: stable fails it, too. `undecided`: stable has not been asked yet, or is not well enough to be asked. */
type Finding = 'fine' | 'undecided' | 'excused' | 'blamed'

function findingOf({ candidate, stable, stableReturns }: NamedCheckState): Finding {
  if (candidate?.state !== 'failing') return 'fine'
  switch (stable?.state) {
    case 'failing':
      return 'excused'
    case 'unknown':
      return 'undecided'
    case 'passing':
      return 'blamed'
    case undefined:
      return stableReturns ? 'undecided' : 'blamed'
  }
}

const checksOf = ({ settings }: Pick<RolloutState, 'settings'>): readonly NamedCheck[] =>
  settings.health.checks ?? []

const stateIn = (rollout: RolloutState, { name }: Pick<NamedCheck, 'name'>): NamedCheckState =>
  rollout.namedChecks.find((one) => one.name === name) ?? {
    name,
    candidate: null,
    stable: null,
    stableReturns: false,
  }

const checkNameOf = ({ name }: Pick<NamedCheck, 'name'>): string => `health check ${name}`

/** The named checks that only the candidate fails and that have this consequence, if nobody let them pass; `null` for none. */
export function namedChecksFound(
  rollout: RolloutState,
  level: 'warning' | 'critical',
): { reason: Reason; checks: string[] } | null {
  const found = checksOf(rollout).filter(
    (check) =>
      check.onFailure === level &&
      findingOf(stateIn(rollout, check)) === 'blamed' &&
      (level === 'critical' || !rollout.acknowledged.includes(checkNameOf(check))),
  )
  const [first] = found
  if (first === undefined) return null
  const { candidate } = stateIn(rollout, first)
  return {
    reason: {
      code: level === 'critical' ? 'CHECK_CRITICAL' : 'CHECK_WARNING',
      message: sentenceOf(rollout, first),
      evidence: { check: checkNameOf(first), tier: level, cause: candidate?.message ?? null },
      actor: ENGINE,
    },
    checks: found.map(checkNameOf),
  }
}

/** The named checks as rows among the others. */
export const namedCheckViews = (rollout: RolloutState): CheckView[] =>
  checksOf(rollout).map((check) => {
    const { candidate, stable } = stateIn(rollout, check)
    return {
      name: checkNameOf(check),
      tier: check.onFailure,
      verdict: verdictOf(check, stateIn(rollout, check)),
      candidate: stateText(candidate),
      stable: stateText(stable),
      threshold: check.failures === 1 ? '1 failure' : `${check.failures} failures in a row`,
      samples: candidate?.asked ?? 0,
      sentence: sentenceOf(rollout, check),
    }
  })

function verdictOf({ onFailure }: NamedCheck, state: NamedCheckState): CheckView['verdict'] {
  if (state.candidate === null || state.candidate.state === 'unknown') return 'watching'
  switch (findingOf(state)) {
    case 'fine':
      return 'ok'
    case 'undecided':
    case 'excused':
      return 'watching'
    case 'blamed':
      return onFailure === 'report' ? 'worse' : onFailure
  }
}

const stateText = (standing: Standing | null): string =>
  standing === null ? 'not asked' : standing.state === 'unknown' ? 'not known yet' : standing.state

function sentenceOf(rollout: RolloutState, check: NamedCheck): string {
  const { plan } = rollout
  const state = stateIn(rollout, check)
  const of = state.candidate
  const what = `${checkNameOf(check)} (${check.kind})`
  if (of === null || of.state === 'unknown') return `${what}: not known yet of ${plan.to.version}`
  if (of.state === 'passing') return `${what}: ${plan.to.version} passes`
  return `${what}: ${plan.to.version} fails${whereText(of)}${besideText(state, plan.from?.version)}${causeText(of)}`
}

const whereText = ({ asked, failing }: Standing): string =>
  asked === 1 ? '' : ` on ${failing} of ${asked} instances`
const causeText = ({ message }: Standing): string => (message === null ? '' : `: ${message}`)

function besideText(state: NamedCheckState, version: string | undefined): string {
  if (version === undefined) return ''
  switch (findingOf(state)) {
    case 'excused':
      return `, and so does ${version}, so nothing follows from it`
    case 'undecided':
      return `; ${version} was not asked yet`
    case 'fine':
      return ''
    case 'blamed':
      return state.stable === null ? ` (${version} is not asked)` : `, and ${version} does not`
  }
}

/** Whoever looks at the service sees what fails of what serves or may serve, rollout or not. */
export const failingChecks = ({ sets }: ServiceState): string[] =>
  sets.flatMap((set) => {
    if (set.role === 'held' || set.role === 'retiring') return []
    const results = readyInstances(set).flatMap(({ checks = [] }) => checks)
    return [...new Set(results.map(({ name }) => name))].flatMap((name) => {
      const standing = standingOf(set, name)
      if (standing?.state !== 'failing') return []
      const { version, role } = set
      return `Health check ${name} of ${version} (${role}) fails${whereText(standing)}${causeText(standing)}`
    })
  })
