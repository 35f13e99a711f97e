import type { WaitingOn } from '../../rollout/reason.ts'
import { byGravity, type Finding, levelOf } from './level.ts'
import type { RiskFactor } from './risk.ts'

/** The moment at which the plan is made. */
export type Moment = {
  /** What would keep it from beginning now. */
  held: WaitingOn | null
  /** One sentence on an open circuit breaker. */
  breaker: string | null
  /** Why this very release failed before, or was blocked. */
  blocked: string | null
  /** Rollouts of this service that went back by themselves, of late. */
  automaticRollbacks: number
  /** Rollouts that are under way: of this service, and of others in the same environment. */
  here: string | null
  elsewhere: readonly string[]
}

/** Freeze, windows, what failed lately, and what else moves at the same time. */
export function timing(moment: Moment): RiskFactor {
  const findings = findingsOf(moment)
  const calm: Finding = {
    level: 'low',
    text: 'No freeze, no closed window, no other rollout in the environment, no automatic rollback of late.',
  }
  const all = findings.length === 0 ? [calm] : findings
  return {
    name: 'timing',
    level: levelOf(all),
    known: true,
    evidence: [...byGravity(all), 'Not known: who is on call.'],
  }
}

function findingsOf({ held, breaker, blocked, automaticRollbacks, here, elsewhere }: Moment): Finding[] {
  const findings: Finding[] = []
  if (breaker !== null) findings.push({ level: 'high', text: breaker })
  if (blocked !== null) findings.push({ level: 'high', text: `This release failed before: ${blocked}.` })
  if (held?.kind === 'freeze') findings.push({ level: 'high', text: `${capital(held.message)}.` })
  else if (held !== null) findings.push({ level: 'medium', text: `${capital(held.message)}.` })
  if (automaticRollbacks > 0)
    findings.push({
      level: automaticRollbacks > 1 ? 'high' : 'medium',
      text:
        automaticRollbacks === 1
          ? 'The service went back by itself once of late.'
          : `The service went back by itself ${automaticRollbacks} times of late.`,
    })
  if (here !== null) findings.push({ level: 'medium', text: here })
  if (elsewhere.length > 0)
    findings.push({
      level: elsewhere.length > 1 ? 'high' : 'medium',
      text: `Another rollout is under way in the environment: ${elsewhere.join(', ')}.`,
    })
  return findings
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
