import type { Freeze, FreezeState } from '../shared/freeze.ts'
import type { Event } from './event.ts'
import type { Actor, Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import type { ServiceState } from './state.ts'

/** What is said about the environment now: news begin or end a freeze, and so does its time. */
export function noteFreeze(state: ServiceState, { freeze, asOf, by }: FreezeState, now: number): Event[] {
  if (asOf < state.freezeAsOf) return endedByTime(state, now)
  if (freeze === null || isOver(freeze, now)) {
    if (state.freeze === null) return []
    const reason = freeze === null ? lifted(state.freeze, by) : overByTime(state.freeze)
    return [{ kind: 'freeze-ended', at: now, asOf, reason }]
  }
  if (state.freeze !== null && asOf === state.freezeAsOf) return []
  return [{ kind: 'freeze-began', at: now, freeze, asOf, reason: began(freeze) }]
}

/** A freeze ends at its time, also when nobody can be asked about it. */
export function endedByTime({ freeze, freezeAsOf }: ServiceState, now: number): Event[] {
  if (freeze === null || !isOver(freeze, now)) return []
  return [{ kind: 'freeze-ended', at: now, asOf: freezeAsOf, reason: overByTime(freeze) }]
}

const isOver = ({ until }: Freeze, now: number): boolean => until !== null && now >= until

const person = (name: string): Actor => ({ kind: 'person', name })

const began = ({ who, reason, until }: Freeze): Reason => ({
  code: 'FROZEN',
  message: `${who} froze the environment: ${reason}`,
  evidence: { until },
  actor: person(who),
})

const lifted = ({ reason, who }: Freeze, by: string): Reason => ({
  code: 'FREEZE_ENDED',
  message: `${by} lifted the freeze: ${reason}`,
  evidence: { freeze: reason, who },
  actor: person(by),
})

const overByTime = ({ reason, who, until }: Freeze): Reason => ({
  code: 'FREEZE_ENDED',
  message: `the time of the freeze is over: ${reason}`,
  evidence: { freeze: reason, who, until },
  actor: ENGINE,
})
