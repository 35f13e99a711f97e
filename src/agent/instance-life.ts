import type { ExitStatus, ProbeFailure } from '../core/shared/instance.ts'
import type { HealthProbe } from '../core/shared/set-spec.ts'
import { backOffMs } from './back-off.ts'
import type { ContainerIdentity, InstanceRecord, ProcessIdentity } from './instance-record.ts'

/** What can happen to an instance. Times are data. */
export type LifeEvent =
  /** `container`: the one that is to be made. */
  | { kind: 'spawning'; at: number; port: number; container?: ContainerIdentity | null }
  /** `place`: for a container, which is known only now. */
  | { kind: 'spawned'; at: number; process: ProcessIdentity; place?: Place }
  /** `final`: no later attempt can succeed without a person (a missing secret). */
  | { kind: 'spawn-failed'; at: number; message: string; final: boolean }
  | { kind: 'probe-passed'; at: number }
  | { kind: 'probe-failed'; at: number; failure: ProbeFailure }
  | { kind: 'live-passed'; at: number }
  | { kind: 'live-failed'; at: number; failure: ProbeFailure }
  /** Its turn to be restarted has come: it gets no traffic from here on. */
  | { kind: 'live-given-up'; at: number }
  | { kind: 'exited'; at: number; exit: ExitStatus; addressInUse: boolean }
  /** The host, or the engine of its container, was restarted or away: nobody's fault, so it is no crash. `why` is for people. */
  | { kind: 'lost-by-reboot'; at: number; exit: ExitStatus; why?: string }
  | { kind: 'deadline-passed'; at: number; deadlineMs: number }
  | { kind: 'steady'; at: number }
  | { kind: 'stop-asked'; at: number }
  | { kind: 'quiesced'; at: number }
  /** The program that told it to take no new work has ended; `failure` says how it went wrong. */
  | { kind: 'quiesce-ended'; at: number; failure: string | null }
  | { kind: 'start-passed'; at: number }
  | { kind: 'start-failed'; at: number; failure: ProbeFailure }
  | { kind: 'term-sent'; at: number }
  | { kind: 'kill-sent'; at: number }
  /** What is next for it cannot be done at the moment; it is tried again, and none of this is its fault. */
  | { kind: 'held-up'; at: number; message: string }
  | { kind: 'group-empty'; at: number }

type Place = Pick<InstanceRecord, 'host' | 'port' | 'container'>

export type ProbeLimits = Pick<HealthProbe, 'successes' | 'failures' | 'deadlineMs' | 'live' | 'start'>

/** The instance after the event. Total: an event that does not fit the state any more changes nothing. */
export function evolve(record: InstanceRecord, event: LifeEvent, limits: ProbeLimits): InstanceRecord {
  switch (event.kind) {
    case 'spawning':
      return spawning(record, event)
    case 'spawned':
      return spawned(record, event)
    case 'spawn-failed':
      return spawnFailed(record, event)
    case 'probe-passed':
      return probePassed(record, event.at, limits)
    case 'probe-failed':
      return probeFailed(record, event, limits)
    case 'live-passed':
      return record.notLive?.leftAt ? record : { ...record, consecutiveLiveFailures: 0, notLive: null }
    case 'live-failed':
      return liveFailed(record, event, limits)
    case 'live-given-up':
      return liveGivenUp(record, event.at)
    case 'exited':
      return exited(record, event)
    case 'lost-by-reboot':
      return lostByReboot(record, event)
    case 'deadline-passed':
      return deadlinePassed(record, event)
    case 'steady':
      return { ...record, crashesInARow: 0 }
    case 'stop-asked':
      return isOver(record) ? record : { ...record, state: 'stopping', restartAt: null, readyAt: null }
    case 'quiesced':
      return { ...record, quiescedAt: record.quiescedAt ?? event.at }
    case 'quiesce-ended':
      return quiesceEnded(record, event)
    case 'start-passed':
      return isProbed(record) ? { ...record, bootedAt: event.at, lastProbeFailure: null } : record
    case 'start-failed':
      return startFailed(record, event, limits)
    case 'term-sent':
      return { ...record, termSentAt: event.at }
    case 'kill-sent':
      return { ...record, killSentAt: event.at }
    case 'held-up':
      return heldUp(record, event)
    case 'group-empty':
      return { ...record, state: 'gone', process: null, goneAt: event.at }
  }
}

/** Stopping or gone: nothing is wanted of it any more. */
export const isOver = (record: InstanceRecord): boolean =>
  record.state === 'stopping' || record.state === 'gone'

/** States in which its health is asked. */
export const isProbed = (record: InstanceRecord): boolean =>
  record.process !== null && ['starting', 'ready', 'unready'].includes(record.state) && !isLeaving(record)

/** Once it has started; what nobody of ours started, nobody of ours restarts. */
export const isAskedWhetherLive = (record: InstanceRecord): boolean =>
  isProbed(record) && record.state !== 'starting' && !record.adopted

/** It boots: nothing but its start is asked, and none of its failures counts against it. */
export const isBooting = ({ bootedAt }: InstanceRecord, { start }: Pick<HealthProbe, 'start'>): boolean =>
  start !== undefined && bootedAt === null

/** On its way to a restart, since it was not live. */
export const isLeaving = ({ notLive }: InstanceRecord): boolean => notLive !== null && notLive.leftAt !== null

const freshStart = (at: number) => ({
  process: null,
  startedAt: at,
  readyAt: null,
  restartAt: null,
  consecutiveSuccesses: 0,
  consecutiveProbeFailures: 0,
  consecutiveLiveFailures: 0,
  notLive: null,
  bootedAt: null,
})

/** The signals that ended the process before are not for the next one. */
const notEnded = { termSentAt: null, killSentAt: null }

function spawning(
  record: InstanceRecord,
  { at, port, container = null }: LifeEvent & { kind: 'spawning' },
): InstanceRecord {
  const begun = { ...record, port, container, ...freshStart(at) }
  return isOver(record) ? begun : { ...begun, ...notEnded, state: 'starting' }
}

/** A ready one was started again by somebody else: it has to show first that it is well. */
function spawned(
  record: InstanceRecord,
  { at, process, place }: LifeEvent & { kind: 'spawned' },
): InstanceRecord {
  const begun = { ...record, ...place, process, startedAt: at }
  return record.state === 'ready' ? { ...begun, state: 'unready', readyAt: null } : begun
}

function spawnFailed(record: InstanceRecord, event: LifeEvent & { kind: 'spawn-failed' }): InstanceRecord {
  const lastProbeFailure: ProbeFailure = { kind: 'not-started', message: event.message, at: event.at }
  if (isOver(record)) return { ...record, process: null, lastProbeFailure }
  if (event.final && !record.everReady) return { ...record, state: 'failed', process: null, lastProbeFailure }
  return { ...record, ...crashedAt(record, event.at), lastProbeFailure }
}

/** A new instance that waits for this still has to be ready in time. */
function heldUp(record: InstanceRecord, { at, message }: LifeEvent & { kind: 'held-up' }): InstanceRecord {
  if (record.state === 'gone' || record.lastProbeFailure?.message === message) return record
  const kind = record.state === 'stopping' ? 'not-told' : 'not-started'
  return { ...record, lastProbeFailure: { kind, message, at } }
}

function probePassed(record: InstanceRecord, at: number, limits: ProbeLimits): InstanceRecord {
  if (!isProbed(record)) return record
  // Nearly every answer there is: nothing is new.
  if (record.state === 'ready' && record.consecutiveProbeFailures === 0) return record
  const counted = {
    ...record,
    consecutiveSuccesses: record.consecutiveSuccesses + 1,
    consecutiveProbeFailures: 0,
  }
  if (record.state === 'ready' || counted.consecutiveSuccesses < limits.successes) return counted
  return { ...counted, state: 'ready', everReady: true, readyAt: at, lastProbeFailure: null }
}

function probeFailed(
  record: InstanceRecord,
  event: LifeEvent & { kind: 'probe-failed' },
  limits: ProbeLimits,
): InstanceRecord {
  if (!isProbed(record)) return record
  const counted = {
    ...record,
    consecutiveSuccesses: 0,
    consecutiveProbeFailures: record.consecutiveProbeFailures + 1,
    lastProbeFailure: event.failure,
  }
  if (counted.consecutiveProbeFailures < limits.failures) return counted
  if (record.state === 'ready') return { ...counted, state: 'unready', readyAt: null }
  // A restarted instance that was ready in an earlier life is not `failed`, but it has had its time to start.
  const late =
    record.state === 'starting' && record.everReady && event.at - record.startedAt > limits.deadlineMs
  return late ? { ...counted, state: 'unready' } : counted
}

/** It boots, and that may take its time; one that was ready in an earlier life is unready when that is over. */
function startFailed(
  record: InstanceRecord,
  { at, failure }: LifeEvent & { kind: 'start-failed' },
  { start }: ProbeLimits,
): InstanceRecord {
  if (!isProbed(record) || start === undefined) return record
  const late = record.state === 'starting' && record.everReady && at - record.startedAt > start.deadlineMs
  return { ...record, state: late ? 'unready' : record.state, lastProbeFailure: failure }
}

/** Nobody knows whether it takes new work: it is not given the time to finish, but stopped as any other. */
function quiesceEnded(
  record: InstanceRecord,
  { at, failure }: LifeEvent & { kind: 'quiesce-ended' },
): InstanceRecord {
  if (record.state !== 'stopping') return record
  if (failure === null) return { ...record, told: 'told' }
  const message = `it could not be told to take no new work, so it is stopped at once: ${failure}`
  return { ...record, told: 'failed', lastProbeFailure: { kind: 'not-told', message, at } }
}

function liveFailed(
  record: InstanceRecord,
  { failure }: LifeEvent & { kind: 'live-failed' },
  { live }: ProbeLimits,
): InstanceRecord {
  if (live === undefined || !isAskedWhetherLive(record)) return record
  const failures = record.consecutiveLiveFailures + 1
  const counted = { ...record, consecutiveLiveFailures: failures }
  if (failures < live.failures) return counted
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  return { ...counted, notLive: { message: `not live (${times}): ${failure.message}`, leftAt: null } }
}

function liveGivenUp(record: InstanceRecord, at: number): InstanceRecord {
  if (record.notLive === null || !isAskedWhetherLive(record)) return record
  const { message } = record.notLive
  return {
    ...record,
    state: 'unready',
    readyAt: null,
    notLive: { message, leftAt: at },
    lastProbeFailure: { kind: 'not-live', message, at },
  }
}

function exited(record: InstanceRecord, event: LifeEvent & { kind: 'exited' }): InstanceRecord {
  const { exit, at } = event
  // Its group may live on, so `process` stays until the group is empty.
  if (record.state === 'stopping') return { ...record, lastExit: exit }
  if (record.state === 'gone') return record
  const lastProbeFailure: ProbeFailure = endedBecause(record, exit)
  if (record.state === 'failed') return { ...record, process: null, lastExit: exit, lastProbeFailure }
  const ended = { ...record, lastExit: exit, lastProbeFailure }
  if (record.adopted) {
    return { ...ended, state: 'gone', process: null, readyAt: null, crashes: record.crashes + 1, goneAt: at }
  }
  return { ...ended, ...crashedAt(record, at), port: event.addressInUse ? 0 : record.port }
}

const crashedAt = (record: InstanceRecord, at: number) => ({
  state: 'crashed' as const,
  process: null,
  readyAt: null,
  crashes: record.crashes + 1,
  crashesInARow: record.crashesInARow + 1,
  restartAt: at + backOffMs(record.crashesInARow + 1),
  consecutiveSuccesses: 0,
})

function lostByReboot(record: InstanceRecord, event: LifeEvent & { kind: 'lost-by-reboot' }): InstanceRecord {
  if (isOver(record)) return { ...record, lastExit: event.exit }
  const { at, exit, why } = event
  const lastProbeFailure: ProbeFailure | null =
    why === undefined ? record.lastProbeFailure : { kind: 'exited', message: why, at }
  const ended = { ...record, process: null, readyAt: null, lastExit: exit, lastProbeFailure }
  if (record.adopted) return { ...ended, state: 'gone', goneAt: at }
  // A new boot is a new beginning: also an instance that had failed gets its deadline again.
  return { ...ended, state: 'crashed', restartAt: at, createdAt: at, crashesInARow: 0 }
}

function deadlinePassed(
  record: InstanceRecord,
  event: LifeEvent & { kind: 'deadline-passed' },
): InstanceRecord {
  const { at, deadlineMs } = event
  const none: ProbeFailure = {
    kind: 'slow',
    message: `no health check was answered within ${deadlineMs} ms`,
    at,
  }
  return { ...record, state: 'failed', restartAt: null, lastProbeFailure: record.lastProbeFailure ?? none }
}

/** That we ended it is no cause: why we did is one. */
function endedBecause(record: InstanceRecord, exit: ExitStatus): ProbeFailure {
  const { at, cause } = exit
  return cause === 'not-live' && record.notLive !== null
    ? { kind: 'not-live', message: `restarted, since it was ${record.notLive.message}`, at }
    : { kind: 'exited', message: describeExit(record, exit), at }
}

function describeExit(record: InstanceRecord, exit: ExitStatus): string {
  const seconds = Math.max(0, (exit.at - record.startedAt) / 1000).toFixed(1)
  const after = `${seconds} s after its start`
  if (exit.cause === 'oom') return `the kernel killed it ${after} because its cgroup ran out of memory`
  if (exit.cause === 'killed-unknown')
    return `killed by ${exit.signal} ${after}; who sent the signal is not known`
  if (exit.signal !== null) return `ended by ${exit.signal} ${after}`
  if (exit.code !== null) return `exited with code ${exit.code} ${after}`
  return 'ended while the agent was not running; its exit status is not known'
}
