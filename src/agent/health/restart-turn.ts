import { isLeaving } from '../instance-life.ts'
import type { InstanceRecord } from '../instance-record.ts'

/**
 * One instance of a release is restarted at a time: a liveness check that fails for a common reason must not take all of
 * them away at once. One that does not come back within its deadline holds nobody up any longer.
 */
export function mayRestartNow(
  record: InstanceRecord,
  ofRelease: readonly InstanceRecord[],
  { now, deadlineMs }: { now: number; deadlineMs: number },
): boolean {
  return !ofRelease.some(
    (other) =>
      other.id !== record.id &&
      (isOnItsWayOut(other) || (isOnItsWayBack(other) && now - (other.lastExit?.at ?? 0) < deadlineMs)),
  )
}

const isOnItsWayOut = (one: InstanceRecord): boolean => one.state === 'unready' && isLeaving(one)

const isOnItsWayBack = ({ state, lastExit }: InstanceRecord): boolean =>
  lastExit?.cause === 'not-live' && ['crashed', 'starting', 'unready'].includes(state)
