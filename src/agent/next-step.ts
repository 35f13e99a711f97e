import { STEADY_AFTER_MS } from './back-off.ts'
import type { InstanceRecord } from './instance-record.ts'

/** How long an ended instance can still be observed, so that its exit status can be read. */
export const KEEP_GONE_MS = 10 * 60_000
/** The kill is repeated this often while a member of the group is left: one may have forked in between. */
const KILL_AGAIN_MS = 1000

/** Time for the data plane to take an instance out of its routes before it is ended. */
const LEAVE_MS = 2000

/** What the supervisor does next for one instance. */
export type Step =
  | 'none'
  | 'spawn'
  | 'fail'
  | 'reset-back-off'
  | 'send-quiesce'
  | 'send-term'
  | 'send-kill'
  | 'check-gone'
  | 'leave'
  | 'forget'

/** `graceMs`: a worker is told to take no new work so long before it is stopped. `mayRestart`: no other instance of the release is being restarted for want of life. */
export type StepFacts = {
  now: number
  deadlineMs: number
  stopGraceMs: number
  graceMs?: number | null
  /** The program that tells it so was cut short with the agent before this one. */
  tellAgain?: boolean
  /** How long it may boot, where that is asked by itself. */
  startDeadlineMs?: number | null
  mayRestart: boolean
}

/** Pure: the next step follows from the record and the time alone, so it is the same after a restart of the agent. */
export function nextStep(record: InstanceRecord, facts: StepFacts): Step {
  switch (record.state) {
    case 'starting':
      if (isPastDeadline(record, facts)) return 'fail'
      return record.process === null ? 'spawn' : 'none'
    case 'crashed':
      if (isPastDeadline(record, facts)) return 'fail'
      return (record.restartAt ?? 0) <= facts.now ? 'spawn' : 'none'
    case 'ready':
      if (record.notLive !== null) return restartStep(record, record.notLive, facts)
      return isSteady(record, facts.now) ? 'reset-back-off' : 'none'
    case 'unready':
      return record.notLive === null ? 'none' : restartStep(record, record.notLive, facts)
    case 'failed':
      return 'none'
    case 'stopping':
      return quiesceStep(record, facts) ?? stopStep(record, facts)
    case 'gone':
      return facts.now - (record.goneAt ?? 0) >= KEEP_GONE_MS ? 'forget' : 'none'
  }
}

/** Each phase has its time: a boot that is over leaves all of the deadline to become ready in. */
function isPastDeadline(
  { everReady, createdAt, startedAt, bootedAt, process }: InstanceRecord,
  { now, deadlineMs, startDeadlineMs }: StepFacts,
): boolean {
  if (everReady) return false
  const bootMs = startDeadlineMs ?? null
  if (bootMs === null) return now - createdAt >= deadlineMs
  if (now - createdAt >= bootMs + deadlineMs) return true
  if (process === null) return false
  return bootedAt === null ? now - startedAt >= bootMs : now - bootedAt >= deadlineMs
}

const isSteady = (record: InstanceRecord, now: number): boolean =>
  record.crashesInARow > 0 && record.readyAt !== null && now - record.readyAt >= STEADY_AFTER_MS

/** First out of the routes, then the signal: what it still answers shall not be cut. */
function restartStep(
  record: InstanceRecord,
  { leftAt }: NonNullable<InstanceRecord['notLive']>,
  facts: StepFacts,
): Step {
  if (leftAt === null) return facts.mayRestart ? 'leave' : 'none'
  if (record.process === null || facts.now - leftAt < LEAVE_MS) return 'none'
  const next = stopStep(record, facts)
  return next === 'check-gone' ? 'none' : next
}

/** It ends by itself when it has finished, or is stopped when its grace is over; `null` where it is stopped as any other. */
function quiesceStep(
  { process, quiescedAt, told, termSentAt }: InstanceRecord,
  { graceMs, now, tellAgain }: StepFacts,
): Step | null {
  if (graceMs === undefined || graceMs === null || process === null || termSentAt !== null) return null
  if (told === 'failed') return null
  if (quiescedAt === null || tellAgain === true) return 'send-quiesce'
  return now - quiescedAt < graceMs ? 'check-gone' : null
}

function stopStep(record: InstanceRecord, facts: StepFacts): Step {
  if (record.process === null) return 'check-gone'
  if (record.termSentAt === null) return 'send-term'
  const graceOver = facts.now - record.termSentAt >= facts.stopGraceMs
  const killDue = record.killSentAt === null || facts.now - record.killSentAt >= KILL_AGAIN_MS
  return graceOver && killDue ? 'send-kill' : 'check-gone'
}
